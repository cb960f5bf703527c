// The game: a ship under a dark sky, lights to catch, a minute of time.
//
// Events: "begun", "second" (detail: how many are left), "scored" (detail: points), "over" (detail: points).
// It plays on the part of the canvas that `area` gives as [width, height]: the chat has the rest.

const ROUND = 60; // seconds
const LIGHTS = 7;
const KEYS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], a: [-1, 0], d: [1, 0], w: [0, -1], s: [0, 1],
};

export class Game extends EventTarget {
  #held = new Set();
  #finger = null;
  #last = 0;

  constructor(canvas, area) {
    super();
    this.canvas = canvas;
    this.area = area;
    this.pen = canvas.getContext("2d");
    this.left = 0;
    this.points = 0;
    this.ship = { x: 0.4, y: 0.5, dx: 0, dy: 0, angle: 0, trail: [] };
    this.stars = Array.from({ length: 120 }, () => ({ x: Math.random(), y: Math.random(), size: Math.random() * 1.6 + 0.3 }));
    this.lights = Array.from({ length: LIGHTS }, () => this.#light());
    addEventListener("keydown", (event) => this.#key(event, true));
    addEventListener("keyup", (event) => this.#key(event, false));
    for (const name of ["pointerdown", "pointermove"]) canvas.addEventListener(name, (event) => this.#touch(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { this.#finger = null; });
    requestAnimationFrame((now) => this.#turn(now));
  }

  get running() { return this.left > 0; }

  begin() {
    this.left = ROUND;
    this.points = 0;
    this.dispatchEvent(new Event("begun"));
  }

  #key(event, down) {
    if (event.target.closest?.("input, textarea, select, dialog") || !KEYS[event.key]) return;
    event.preventDefault();
    down ? this.#held.add(event.key) : this.#held.delete(event.key);
  }

  #touch(event) {
    if (event.buttons || event.pointerType === "touch") {
      const [width, height] = this.area();
      this.#finger = { x: event.clientX / width, y: event.clientY / height };
    }
  }

  #turn(now) {
    const seconds = Math.min(0.05, (now - this.#last) / 1000);
    this.#last = now;
    this.#move(seconds);
    this.#draw(now / 1000);
    requestAnimationFrame((next) => this.#turn(next));
  }

  #move(seconds) {
    const { ship } = this;
    let pull = [...this.#held].reduce(([x, y], key) => [x + KEYS[key][0], y + KEYS[key][1]], [0, 0]);
    if (this.#finger) pull = [(this.#finger.x - ship.x) * 5, (this.#finger.y - ship.y) * 5];
    ship.dx = (ship.dx + pull[0] * seconds * 1.4) * 0.97;
    ship.dy = (ship.dy + pull[1] * seconds * 1.4) * 0.97;
    ship.x = (ship.x + ship.dx * seconds + 1) % 1;
    ship.y = (ship.y + ship.dy * seconds + 1) % 1;
    if (pull[0] || pull[1]) ship.angle = Math.atan2(pull[1], pull[0]);
    ship.trail = [{ x: ship.x, y: ship.y }, ...ship.trail].slice(0, 24);
    if (this.running) this.#play(seconds);
  }

  #play(seconds) {
    const [width, height] = this.area();
    for (const light of this.lights) {
      light.age += seconds;
      const near = Math.hypot((light.x - this.ship.x) * width, (light.y - this.ship.y) * height) < 30;
      if (near) {
        this.points += 1;
        this.dispatchEvent(new CustomEvent("scored", { detail: this.points }));
      }
      if (near || light.age > light.life) Object.assign(light, this.#light());
    }
    const before = Math.ceil(this.left);
    this.left -= seconds;
    if (Math.ceil(this.left) !== before) this.dispatchEvent(new CustomEvent("second", { detail: Math.ceil(this.left) }));
    if (this.left <= 0) this.dispatchEvent(new CustomEvent("over", { detail: this.points }));
  }

  #light() {
    return { x: 0.06 + Math.random() * 0.88, y: 0.16 + Math.random() * 0.78, age: 0, life: 4 + Math.random() * 5 };
  }

  #draw(time) {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [innerWidth, innerHeight];
    if (this.canvas.width !== width * ratio || this.canvas.height !== height * ratio) {
      [this.canvas.width, this.canvas.height] = [width * ratio, height * ratio];
    }
    const { pen } = this;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const sky = pen.createLinearGradient(0, 0, width, height);
    sky.addColorStop(0, "#0a1030");
    sky.addColorStop(1, "#1a0b2b");
    pen.fillStyle = sky;
    pen.fillRect(0, 0, width, height);
    pen.fillStyle = "#cfd8ff";
    for (const star of this.stars) {
      pen.globalAlpha = 0.35 + 0.35 * Math.sin(time + star.x * 40);
      pen.fillRect(star.x * width, star.y * height, star.size, star.size);
    }
    pen.globalAlpha = 1;
    if (this.running) this.#drawLights(pen, ...this.area(), time);
    this.#drawShip(pen, ...this.area());
  }

  #drawLights(pen, width, height, time) {
    for (const light of this.lights) {
      const [x, y] = [light.x * width, light.y * height];
      const size = 16 + 3 * Math.sin(time * 4 + light.x * 20);
      const glow = pen.createRadialGradient(x, y, 1, x, y, size);
      const strength = Math.max(0, Math.min(1, light.age * 2, light.life - light.age));
      glow.addColorStop(0, `rgb(255 240 190 / ${strength})`);
      glow.addColorStop(1, "rgb(255 212 121 / 0)");
      pen.fillStyle = glow;
      pen.fillRect(x - size, y - size, 2 * size, 2 * size);
    }
  }

  #drawShip(pen, width, height) {
    const { ship } = this;
    ship.trail.forEach((point, age) => {
      pen.fillStyle = `rgb(125 243 208 / ${0.25 * (1 - age / ship.trail.length)})`;
      pen.fillRect(point.x * width - 2, point.y * height - 2, 4, 4);
    });
    pen.save();
    pen.translate(ship.x * width, ship.y * height);
    pen.rotate(ship.angle);
    pen.fillStyle = "#7df3d0";
    pen.beginPath();
    pen.moveTo(15, 0);
    pen.lineTo(-9, 8);
    pen.lineTo(-5, 0);
    pen.lineTo(-9, -8);
    pen.fill();
    pen.restore();
  }
}

"""Browsers: the demo's game and Converse.js in Chromium, driven by Playwright."""

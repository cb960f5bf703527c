/* The floor: a relay that only moves bytes. Connections are paired in the order
   they arrive; what one sends, the other receives. No XML is read.
   Usage: floor PORT */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 16384, EVENTS = 256, CHUNK = 65536 };

static int partner[MOST];
static int waiting = -1;

static int listen_on(int port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, door = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(door, (struct sockaddr *)&at, sizeof at) || listen(door, 512)) {
        perror("floor");
        exit(1);
    }
    return door;
}

static void watch(int poll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static void admit(int poll, int door) {
    int one = 1, fd = accept(door, NULL, NULL);
    if (fd < 0 || fd >= MOST) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    partner[fd] = waiting;
    if (waiting >= 0) {
        partner[waiting] = fd;
        waiting = -1;
    } else {
        waiting = fd;
    }
    watch(poll, fd);
}

static void dismiss(int fd) {
    if (partner[fd] >= 0) partner[partner[fd]] = -1;
    if (waiting == fd) waiting = -1;
    close(fd);
}

static void move_bytes(int fd) {
    static char chunk[CHUNK];
    ssize_t got = recv(fd, chunk, sizeof chunk, 0);
    if (got <= 0) {
        dismiss(fd);
        return;
    }
    if (partner[fd] >= 0) send(partner[fd], chunk, got, MSG_NOSIGNAL);
}

int main(int argc, char **argv) {
    struct epoll_event events[EVENTS];
    int poll = epoll_create1(0), door = listen_on(argc > 1 ? atoi(argv[1]) : 0);
    watch(poll, door);
    for (;;) {
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int at = 0; at < ready; at++) {
            if (events[at].data.fd == door) admit(poll, door);
            else move_bytes(events[at].data.fd);
        }
    }
}

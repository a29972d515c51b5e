#pragma once
/*
 * What Paho calls instead of the system's functions of the same names: its sockets with a buffer each way.
 *
 * Paho reads a packet in three recv() with two poll() around them and writes each packet by itself; at 6,000
 * tickets a second that is 150,000 system calls, and as many wake-ups of the broker. Here a recv() takes all
 * that has come, and poll() says "ready" as long as something of it is left. What is written waits until
 * the writing thread is about to sleep (in poll() or on a condition) or the buffer is full: a single packet leaves at
 * once, a hundred leave together.
 *
 * The Makefile renames the functions in our copy of Paho's archive; nobody else calls them. TLS passes by: there
 * OpenSSL has the socket, and buffers of its own.
 *
 * Any thread; one lock, which nobody holds while waiting.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

int paho_connect(int fd, const struct sockaddr *address, socklen_t len);
ssize_t paho_recv(int fd, void *to, size_t n, int flags);
ssize_t paho_writev(int fd, const struct iovec *parts, int n);
int paho_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int paho_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until);
int paho_shutdown(int fd, int how);
/* Paho would ask the environment for an HTTP proxy on the way to the broker. That is meant for other programs. */
char *paho_getenv(const char *name);
int paho_close(int fd);

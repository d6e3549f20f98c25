// Extension "plugboard.udp/1": datagrams.
//
// The host's extension of this id is a plugboard_udp_t. What comes in is told through the provider's
// extension of the same id, a plugboard_udp_events_t, which the host asks for once, before start().
// Without it, bind() answers E_UNSUPPORTED.
#ifndef PLUGBOARD_EXT_UDP_H
#define PLUGBOARD_EXT_UDP_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_EXT_UDP "plugboard.udp/1"

// Carries a generation, as all handles do. 0 is none.
typedef uint64_t plugboard_udp_socket_t;

// OWNERSHIP: the caller's; copied before bind() returns.
typedef struct plugboard_udp_options_1 {
    uint32_t struct_size;
    uint16_t port;              // 0: any free one
    uint16_t reserved;          // 0
    plugboard_bytes_t address;  // IP literal of this machine; "0.0.0.0" and "::" are all of a kind
} plugboard_udp_options_t;

// One datagram: where it goes, or where it came from.
//
// OWNERSHIP: borrowed until the call that it was passed to returns.
typedef struct plugboard_datagram_1 {
    uint32_t struct_size;
    uint16_t port;              // 1 … 65535
    uint16_t reserved;          // 0
    plugboard_bytes_t address;  // IP literal, of the socket's kind (IPv4 or IPv6)
    plugboard_bytes_t payload;  // 0 … 65507 bytes
} plugboard_datagram_t;

// What a socket has done since it was bound.
typedef struct plugboard_udp_counters_1 {
    uint32_t struct_size;
    uint32_t reserved;
    uint64_t received;      // datagrams told through received()
    uint64_t received_lost; // datagrams dropped, because more came than the host keeps
    uint64_t sent;          // datagrams that the system took
    uint64_t sent_lost;     // datagrams that it did not take: no route, too long for it
} plugboard_udp_counters_t;

// OWNERSHIP: the host's; lives as long as the host table. `context` is the host table's.
typedef struct plugboard_udp_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // [worker] Opens a socket; it is bound when this returns, to *port.
    //
    // An instance that replaces another, in start(): where it asks for the same address and port, it shares the
    // other's socket. Once it has started, it alone receives; the other may send on until it stops.
    //
    // user     comes back in every call about it; may be NULL
    // returns  OK and *socket; E_INVALID, E_LIMIT, E_SYSTEM (address in use), E_UNSUPPORTED, E_SHUTDOWN
    plugboard_status_t (*bind)(void *context, const plugboard_udp_options_t *options, void *user,
                               plugboard_udp_socket_t *socket, uint16_t *port);

    // [worker] Sends datagrams, copied before return; all of a tick leave together.
    //
    // returns  how many were taken, from the front: fewer than count (at most 1024) where the socket's
    //          queue is full, and then the rest is for the caller to drop or to send later; E_INVALID
    //          (an address or a size; nothing is sent), E_HANDLE, E_SHUTDOWN
    plugboard_status_t (*send)(void *context, plugboard_udp_socket_t socket, const plugboard_datagram_t *datagrams,
                               size_t count);

    // [worker] After it returns OK, no call about the socket comes. What was taken may be lost.
    plugboard_status_t (*close)(void *context, plugboard_udp_socket_t socket);

    // [worker] Reads the counters; counters->struct_size is set by the caller.
    plugboard_status_t (*counters)(void *context, plugboard_udp_socket_t socket, plugboard_udp_counters_t *counters);
} plugboard_udp_t;

// OWNERSHIP: the plugin's; valid until destroy() returns. Every function must be set. All are
// [worker], and come neither from inside a host call nor after stop().
typedef struct plugboard_udp_events_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // Datagrams came: all that arrived since the last call, in order, 1 or more.
    void (*received)(void *self, plugboard_udp_socket_t socket, void *user, const plugboard_datagram_t *datagrams,
                     size_t count);

    // The system closed the socket; the last call about it. `detail` is a sentence for the log.
    void (*closed)(void *self, plugboard_udp_socket_t socket, void *user, plugboard_bytes_t detail);
} plugboard_udp_events_t;

#ifdef __cplusplus
}
#endif

#endif

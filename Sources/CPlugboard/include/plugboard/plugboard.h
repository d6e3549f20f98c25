// The Plugboard plugin ABI: everything a provider plugin needs.
//
// A provider plugin is a shared object that exports one function, plugboard_plugin_entry. The host
// loads it, reads its descriptor, and creates instances of it. An instance is a protocol engine:
// it is given bytes, envelopes, timers and answers, and gives back bytes, envelopes and facts.
// All sockets, TLS, name resolution and clocks belong to the host.
//
// Conventions, valid in all headers of this family:
//
//   Threads     Each function carries a tag.
//               [loader]      the thread that loads plugins, before any instance exists
//               [worker]      the one thread to which the instance is pinned; calls into an
//                             instance never overlap and are never nested inside a host call
//               [any-thread]  any thread, at any time
//   Ownership   A pointer that is passed to a function is borrowed until that function returns,
//               unless its comment says otherwise. Whoever wants it longer copies it.
//   Growth      Every struct that crosses begins with struct_size, in bytes, as its writer was
//               built. Fields are added at the end only; a reader looks at struct_size before it
//               reads a field newer than 1.0. The struct tag carries the layout's version.
//   Text        UTF-8, counted, not NUL-terminated, except where the type is const char *.
//   Time        Milliseconds since 1970-01-01T00:00Z, or nanoseconds of a monotonic clock where
//               the name says so.
//
// The headers compile as C99, C11 and C++17.
#ifndef PLUGBOARD_PLUGBOARD_H
#define PLUGBOARD_PLUGBOARD_H

#include "base.h"
#include "envelope.h"
#include "host.h"
#include "plugin.h"
#include "provider.h"
#include "ext/accounts.h"
#include "ext/commands.h"
#include "ext/digest.h"
#include "ext/http.h"
#include "ext/log.h"
#include "ext/metrics.h"
#include "ext/secrets.h"
#include "ext/homes.h"
#include "ext/status.h"
#include "ext/store.h"
#include "ext/udp.h"

#endif

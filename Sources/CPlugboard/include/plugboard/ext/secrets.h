// Extension "plugboard.secrets/1": passwords, tokens and keys, sealed on disk.
//
// It has the tables of "plugboard.store/1", with a store of its own: the host's extension of this id
// is a plugboard_store_t, the provider's a plugboard_store_events_t. What is different:
//
//   - Values are sealed with AES-256-GCM and the operator's key, and bound to instance and key: what
//     is changed, or moved, is not opened again (E_SYSTEM). Keys can be read in the file, and are
//     shown to the operator: put nothing secret into them.
//   - Values are up to 64 KiB; an instance may keep 64 MiB in all.
//   - Without a vault in the configuration, requests answer E_UNSUPPORTED.
#ifndef PLUGBOARD_EXT_SECRETS_H
#define PLUGBOARD_EXT_SECRETS_H

#include "store.h"

#define PLUGBOARD_EXT_SECRETS "plugboard.secrets/1"

#endif

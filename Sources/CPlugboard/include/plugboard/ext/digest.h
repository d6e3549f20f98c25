// Host extension "plugboard.digest/1": hashes that old and new protocols need.
#ifndef PLUGBOARD_EXT_DIGEST_H
#define PLUGBOARD_EXT_DIGEST_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_EXT_DIGEST "plugboard.digest/1"

#define PLUGBOARD_DIGEST_MD5 ((uint32_t)1)     // 16 bytes
#define PLUGBOARD_DIGEST_SHA1 ((uint32_t)2)    // 20 bytes
#define PLUGBOARD_DIGEST_SHA256 ((uint32_t)3)  // 32 bytes
#define PLUGBOARD_DIGEST_BYTES_MAX 32

typedef struct plugboard_digest_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // [any-thread] Hashes data into output, which has room for PLUGBOARD_DIGEST_BYTES_MAX.
    // returns  the digest's length in bytes, or E_INVALID
    plugboard_status_t (*hash)(void *context, uint32_t algorithm, plugboard_bytes_t data, uint8_t *output);

    // [any-thread] The same, keyed (HMAC, RFC 2104).
    plugboard_status_t (*hmac)(void *context, uint32_t algorithm, plugboard_bytes_t key, plugboard_bytes_t data,
                               uint8_t *output);
} plugboard_digest_t;

#ifdef __cplusplus
}
#endif

#endif

#pragma once
#include <ffi.h>
#include <stdint.h>

// The types are global variables that could be written to, which Swift does not touch; so their addresses come from here.
static inline ffi_type *plugboard_ffi_void(void) { return &ffi_type_void; }
static inline ffi_type *plugboard_ffi_uint8(void) { return &ffi_type_uint8; }
static inline ffi_type *plugboard_ffi_sint8(void) { return &ffi_type_sint8; }
static inline ffi_type *plugboard_ffi_uint16(void) { return &ffi_type_uint16; }
static inline ffi_type *plugboard_ffi_sint16(void) { return &ffi_type_sint16; }
static inline ffi_type *plugboard_ffi_uint32(void) { return &ffi_type_uint32; }
static inline ffi_type *plugboard_ffi_sint32(void) { return &ffi_type_sint32; }
static inline ffi_type *plugboard_ffi_uint64(void) { return &ffi_type_uint64; }
static inline ffi_type *plugboard_ffi_sint64(void) { return &ffi_type_sint64; }
static inline ffi_type *plugboard_ffi_float(void) { return &ffi_type_float; }
static inline ffi_type *plugboard_ffi_double(void) { return &ffi_type_double; }
static inline ffi_type *plugboard_ffi_pointer(void) { return &ffi_type_pointer; }

#define PLUGBOARD_FFI_ARGUMENTS_MAX 32

// Calls a function with arguments that each begin a slot of 8 bytes, and puts what it returns into another.
//
// A type without the address of a function in it, for Swift has none for "any function". At most
// PLUGBOARD_FFI_ARGUMENTS_MAX arguments.
static inline void plugboard_ffi_call(ffi_cif *cif, const void *function, uint64_t *slots, uint64_t *result) {
    void *values[PLUGBOARD_FFI_ARGUMENTS_MAX];
    for (unsigned index = 0; index < cif->nargs && index < PLUGBOARD_FFI_ARGUMENTS_MAX; index++) {
        values[index] = &slots[index];
    }
    ffi_call(cif, (void (*)(void))(uintptr_t)function, result, values);
}

// Prepares a closure whose code is at `code`, which ffi_closure_alloc() gave.
static inline ffi_status plugboard_ffi_prepare(ffi_closure *closure, ffi_cif *cif,
                                               void (*called)(ffi_cif *, void *, void **, void *), void *user,
                                               void *code) {
    return ffi_prep_closure_loc(closure, cif, called, user, code);
}

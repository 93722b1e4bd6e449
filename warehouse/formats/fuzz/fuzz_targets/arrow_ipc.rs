//! Arrow IPC, file and stream.
#![no_main]

libfuzzer_sys::fuzz_target!(init: formats_fuzz::let_libraries_panic(), |bytes: &[u8]| {
    formats_fuzz::read("ae.arrow", bytes);
});

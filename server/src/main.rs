//! The `cairn` binary.

/// Takes over `malloc` of C and C++, too.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ! {
    server::cli::main()
}

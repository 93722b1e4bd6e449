//! The `cairn` binary.

fn main() -> ! {
    server::cli::main()
}

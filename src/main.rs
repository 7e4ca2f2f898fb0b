//! Arguments to exit code.

/// Logs grow in many threads' small pages and leave as large blocks; the system's own allocator keeps the holes.
#[cfg(feature = "engine")]
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(segue::cli::main(std::env::args_os()) as u8)
}

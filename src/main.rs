//! Arguments to exit code.

fn main() -> std::process::ExitCode {
    std::process::ExitCode::from(segue::cli::main(std::env::args_os()) as u8)
}

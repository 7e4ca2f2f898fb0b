use segue::language::source::Sources;
use segue::language::syntax;

#[test]
fn play() {
    let Ok(path) = std::env::var("SEG_PLAY") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    for chunk in text.split("\n---\n") {
        let mut s = Sources::default();
        let id = s.add("x.seg", chunk);
        let f = s.get(id).unwrap();
        let p = syntax::parse(f);
        println!("=== {chunk}");
        println!("{}", segue::language::syntax::dump::file(&p.file));
        match segue::language::format::format(f, &p, Default::default()) {
            Ok(t) => println!("{t}"),
            Err(e) => println!("{e}"),
        }
        for d in p.diagnostics {
            println!(
                "  {} [{}] {:?}: {} | {} | {:?} {:?}",
                d.code,
                d.severity as u8,
                f.slice(d.primary.span),
                d.message,
                d.primary.text,
                d.help,
                d.fix.map(|f| f.edits.into_iter().map(|e| (e.0.start, e.0.end, e.1)).collect::<Vec<_>>())
            );
        }
    }
}

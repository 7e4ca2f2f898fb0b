//! How texts are made comparable.
//!
//! Owns: NFC, the folding of `case: fold`, and the looser form by which a bare word may stand for a known value.
//! Promises: checker, interpreter and engine compare texts by these functions and no others.
//! Must not know: the catalog.

use icu_casemap::CaseMapper;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark, is_nfc};

/// The text in NFC.
pub fn nfc(text: &str) -> String {
    if is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}

/// `case: fold`: NFC, simple case folding, NFC again. Accents stay.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mapper = CaseMapper::new();
    text.nfc().map(|c| mapper.simple_fold(c)).nfc().collect()
}

/// Without case and accents: NFD without marks, simply folded. Two words with one such form differ in case or accents only.
pub fn plain(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mapper = CaseMapper::new();
    text.nfd().filter(|c| !is_combining_mark(*c)).map(|c| mapper.simple_fold(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_keeps_accents_and_plain_drops_them() {
        for (text, folded, bare) in [
            ("Anti-Âge", "anti-âge", "anti-age"),
            ("ANTI-A\u{302}GE", "anti-âge", "anti-age"),
            ("Straße", "straße", "straße"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ", "σισυφοσ"),
            ("FR", "fr", "fr"),
        ] {
            assert_eq!(fold(text), folded);
            assert_eq!(plain(text), bare);
        }
        assert_eq!(nfc("a\u{302}"), "â");
    }
}

//! Just enough of Rust's grammar to count lines: which characters are code, where test items lie, and
//! where each function begins and ends.

use std::ops::Range;

/// One function of a file, from the line of its `fn` to the line of its closing brace.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}

/// The text with every comment, string and character literal turned into blanks, line for line, so that
/// what is left is code.
pub(super) fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at).unwrap_or(at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// The code without its test items: every item under `#[cfg(test)]` becomes blank lines.
pub(super) fn production_only(code: &str) -> String {
    let mut chars: Vec<char> = code.chars().collect();
    for span in test_items(&chars) {
        chars[span].iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
    }
    chars.into_iter().collect()
}

/// How many lines of `text` are not part of a test item.
pub(super) fn production_lines(text: &str) -> usize {
    let chars: Vec<char> = code_only(text).chars().collect();
    let tests: usize = test_items(&chars).into_iter().map(|span| lines_in(&chars[span]) + 1).sum();
    text.lines().count().saturating_sub(tests)
}

/// Every function with a body, nested ones included, in reading order.
pub(super) fn functions(code: &str) -> Vec<Function> {
    let chars: Vec<char> = code.chars().collect();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = find_word(&chars, from, "fn") {
        from = start + 2;
        let name = word_at(&chars, skip_blanks(&chars, from));
        if name.is_empty() {
            continue; // A function pointer type, or a macro's placeholder.
        }
        let end = item_end(&chars, start);
        if end > start && chars[end - 1] == '}' {
            let line = lines_in(&chars[..start]) + 1;
            found.push(Function { name, line, lines: lines_in(&chars[start..end]) + 1 });
        }
    }
    found
}

/// Every place in the code where `word` stands as a whole identifier: its line number, from 1.
pub(super) fn lines_with_word(code: &str, word: &str) -> Vec<usize> {
    let chars: Vec<char> = code.chars().collect();
    let mut lines = Vec::new();
    let mut from = 0;
    while let Some(start) = find_word(&chars, from, word) {
        lines.push(lines_in(&chars[..start]) + 1);
        from = start + word.len();
    }
    lines
}

/// Every module declared in the code: its name and line number.
pub(super) fn modules(code: &str) -> Vec<(String, usize)> {
    let chars: Vec<char> = code.chars().collect();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = find_word(&chars, from, "mod") {
        from = start + 3;
        let name = word_at(&chars, skip_blanks(&chars, from));
        if !name.is_empty() {
            found.push((name, lines_in(&chars[..start]) + 1));
        }
    }
    found
}

/// Where the items under `#[cfg(test)]` lie.
fn test_items(chars: &[char]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some(start) = find(chars, from, "#[cfg(test)]") {
        from = item_end(chars, start);
        spans.push(start..from);
    }
    spans
}

/// Where the comment or literal that starts at `at` ends, if one starts there.
fn literal_end(chars: &[char], at: usize) -> Option<usize> {
    match (chars[at], chars.get(at + 1)) {
        ('/', Some('/')) => Some(at + chars[at..].iter().take_while(|c| **c != '\n').count()),
        ('/', Some('*')) => Some(block_comment_end(chars, at)),
        ('"', _) => Some(match raw_hashes(chars, at) {
            Some(hashes) => raw_string_end(chars, at + 1, hashes),
            None => quoted_end(chars, at + 1, '"'),
        }),
        ('\'', Some('\\')) => Some(quoted_end(chars, at + 1, '\'')),
        // Otherwise `'` begins a character of one symbol, or a lifetime.
        ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => Some(at + 3),
        _ => None,
    }
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut here = at;
    while here < chars.len() {
        match (chars[here], chars.get(here + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                here += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                here += 2;
                if depth == 0 {
                    return here;
                }
            }
            _ => here += 1,
        }
    }
    here
}

/// The number of `#` of the raw string whose quote is at `quote`; `None` for an ordinary string.
fn raw_hashes(chars: &[char], quote: usize) -> Option<usize> {
    let hashes = chars[..quote].iter().rev().take_while(|c| **c == '#').count();
    let mut before = chars[..quote - hashes].iter().rev();
    if before.next() != Some(&'r') {
        return None;
    }
    let mut prefix = before.skip_while(|c| matches!(**c, 'b' | 'c'));
    (!prefix.next().is_some_and(|c| is_word(*c))).then_some(hashes)
}

fn raw_string_end(chars: &[char], from: usize, hashes: usize) -> usize {
    let closes = |at: usize| {
        chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    };
    (from..chars.len()).find(|at| closes(*at)).map_or(chars.len(), |at| at + 1 + hashes)
}

fn quoted_end(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            c if c == quote => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// Where the item that starts at `start` ends: past its closing brace, or past its semicolon.
fn item_end(chars: &[char], start: usize) -> usize {
    let mut brackets = 0_usize;
    let mut braces = 0_usize;
    for (at, c) in chars.iter().enumerate().skip(start) {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            '{' => braces += 1,
            '}' if braces <= 1 => return at + 1,
            '}' => braces -= 1,
            ';' if brackets == 0 && braces == 0 => return at + 1,
            _ => {}
        }
    }
    chars.len()
}

fn find(chars: &[char], from: usize, needle: &str) -> Option<usize> {
    let needle: Vec<char> = needle.chars().collect();
    chars[from..].windows(needle.len()).position(|window| window == needle).map(|at| from + at)
}

fn find_word(chars: &[char], from: usize, word: &str) -> Option<usize> {
    let mut from = from;
    while let Some(at) = find(chars, from, word) {
        let end = at + word.len();
        let starts = at == 0 || !is_word(chars[at - 1]);
        if starts && !chars.get(end).is_some_and(|c| is_word(*c)) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

fn word_at(chars: &[char], at: usize) -> String {
    chars[at..].iter().take_while(|c| is_word(**c)).collect()
}

fn skip_blanks(chars: &[char], at: usize) -> usize {
    at + chars[at..].iter().take_while(|c| c.is_whitespace()).count()
}

fn lines_in(chars: &[char]) -> usize {
    chars.iter().filter(|c| **c == '\n').count()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_code(text: &str, expected: &str) {
        assert_eq!(
            code_only(text).split_whitespace().collect::<Vec<_>>().join(" "),
            expected,
            "for {text:?}"
        );
    }

    fn check_functions(text: &str, expected: &[(&str, usize, usize)]) {
        let found = functions(&code_only(text));
        let found: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(found, expected, "for {text:?}");
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        check_code("a // { b", "a");
        check_code("a /* { /* nested */ } */ b", "a b");
        check_code(r#"a("{", 'x', '{', '\'', '\u{7b}') b"#, "a( , , , , ) b");
        check_code(r#"a("\"{") b"#, "a( ) b");
        check_code("a(r\"\\\") b", "a(r ) b");
        check_code("a(r#\"{ \"quoted\" \"#) b", "a(r# ) b");
        check_code("a(br##\"{\"# {\"##) b", "a(br## ) b");
        check_code("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
    }

    #[test]
    fn a_function_runs_from_its_name_to_its_closing_brace() {
        check_functions("fn one() {}\n\nfn three(\n) {\n}\n", &[("one", 1, 1), ("three", 3, 3)]);
        check_functions("fn f() {\n  let brace = '{';\n  \"}\"; // }\n}\n", &[("f", 1, 4)]);
        check_functions("fn f() -> [u8; 2] {\n}\n", &[("f", 1, 2)]);
        check_functions(
            "trait T {\n  fn declared(&self);\n  fn given(&self) {\n  }\n}\n",
            &[("given", 3, 2)],
        );
        check_functions("struct S { call: fn(u8) -> u8 }", &[]);
        check_functions("fn outer() {\n  fn inner() {\n  }\n}\n", &[("outer", 1, 4), ("inner", 2, 2)]);
    }

    #[test]
    fn test_items_are_set_aside_and_what_follows_them_is_not() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(production_lines(text), 2);
        let names: Vec<_> =
            functions(&production_only(&code_only(text))).into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(production_lines("fn a() {}\n#[cfg(test)]\nmod tests;\n"), 1);
        assert_eq!(production_lines("// #[cfg(test)]\nfn a() {}\n"), 2);
    }

    #[test]
    fn words_are_found_whole() {
        assert_eq!(lines_with_word("from_gate\nnot_from_gate\nx::from_gate(y)\n", "from_gate"), [1, 3]);
        assert_eq!(
            modules("pub mod site;\nmod visit { }\nlet module = 1;\n"),
            [("site".to_owned(), 1), ("visit".to_owned(), 2)]
        );
    }
}

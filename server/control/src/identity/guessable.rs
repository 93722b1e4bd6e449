//! Passwords that are tried first. What leaks again and again is a common word, or a few, in one of few disguises: letters
//! written as digits, a year or a row of digits at an end, a capital, an exclamation mark; or it is no word at all but a run of
//! neighbouring keys. Below twelve characters nothing is accepted anyway, so that a list of the short ones is of no use;
//! what counts is whether something is left when the disguise is taken off.
//!
//! Source: NIST SP 800-63B-4, 3.1.1.2 (a blocklist of commonly used, expected or compromised passwords).

/// Common words, written down for this program from what such lists have in common.
const WORDS: &str = include_str!("common_words.txt");

/// Rows of keys, and of letters and digits, that fingers or minds follow.
const ROWS: [&str; 8] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
];

/// What has to be left, when common words and rows are taken away, for a password to be one that is not guessed.
const MUST_BE_LEFT: usize = 4;
const DIFFERENT_AT_LEAST: usize = 5;
/// Digits and signs that people put at an end.
const WORN_AT_AN_END: usize = 5;

/// Whether a password is among those that are tried first.
pub(super) fn is_guessable(password: &str) -> bool {
    let plain: Vec<char> = password.to_lowercase().chars().collect();
    let mut different = plain.clone();
    different.sort_unstable();
    different.dedup();
    if different.len() < DIFFERENT_AT_LEAST {
        return true;
    }
    let core = core(&plain);
    let undisguised: Vec<char> = core.iter().map(|letter| undisguised(*letter)).collect();
    [left(&plain), left(core), left(&undisguised)].into_iter().any(|left| left < MUST_BE_LEFT)
}

/// What lies between the few digits and signs at the two ends, such as a year.
fn core(text: &[char]) -> &[char] {
    let is_worn = |letter: &&char| !letter.is_alphabetic();
    let first = text.iter().take(WORN_AT_AN_END).take_while(is_worn).count();
    let last = text.iter().rev().take(WORN_AT_AN_END).take_while(is_worn).count();
    text.get(first..text.len() - last).unwrap_or_default()
}

/// The letter that a digit or a sign stands for.
const fn undisguised(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        letter => letter,
    }
}

/// How many of its letters, digits and signs belong neither to a common word nor to a row of keys.
fn left(text: &[char]) -> usize {
    let (mut at, mut left) = (0, 0);
    while at < text.len() {
        let taken = row_at(&text[at..]).max(word_at(&text[at..]));
        if taken > 0 {
            at += taken;
        } else {
            left += usize::from(!text[at].is_whitespace());
            at += 1;
        }
    }
    left
}

/// The longest common word that begins here.
fn word_at(text: &[char]) -> usize {
    let begins =
        |word: &&str| word.chars().count() <= text.len() && word.chars().zip(text).all(|(a, b)| a == *b);
    WORDS.lines().filter(begins).map(|word| word.chars().count()).max().unwrap_or(0)
}

/// The longest run of four or more along a row, either way, or of one letter, that begins here.
fn row_at(text: &[char]) -> usize {
    let same = text.iter().take_while(|letter| **letter == text[0]).count();
    let along = ROWS.iter().map(|row| {
        let mut row: Vec<char> = row.chars().collect();
        let there = run(text, &row);
        row.reverse();
        there.max(run(text, &row))
    });
    let longest = along.max().unwrap_or(0).max(same);
    if longest >= 4 { longest } else { 0 }
}

/// The longest run along a row, from anywhere in it.
fn run(text: &[char], row: &[char]) -> usize {
    let from = |skipped: usize| row[skipped..].iter().zip(text).take_while(|(a, b)| a == b).count();
    (0..row.len()).map(from).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaks_again_and_again_is_refused() {
        // From what published lists of leaked passwords have of twelve characters and more.
        for common in [
            "password1234",
            "Password123!",
            "P@ssw0rd1234",
            "passwordpassword",
            "123456789012",
            "098765432109",
            "qwertyuiop123",
            "1q2w3e4r5t6y",
            "iloveyou1234",
            "aaaaaaaaaaaa",
            "abababababab",
            "letmein12345",
            "Welcome2026!",
            "Summer2026!!",
            "administrator1",
            "changeme1234",
            "football12345",
            "MonkeyDragon1",
            "asdfghjkl1234",
            "zxcvbnm12345",
            "abcdefghijkl",
        ] {
            assert!(is_guessable(common), "{common}");
        }
    }

    #[test]
    fn what_somebody_thought_of_or_a_machine_made_is_taken() {
        for good in [
            "correct horse battery",
            "staple-quartz-ribbon",
            "4bf92f3577b34da6a3ce",
            "Vierzehn Elche am See",
            "xK9#mQ2vLp7w",
            "der-gelbe-kran-2026",
            "password manager of the grey heron",
        ] {
            assert!(!is_guessable(good), "{good}");
        }
    }

    #[test]
    fn the_words_are_sorted_out_lower_case_and_none_is_short_enough_to_be_everywhere() {
        for word in WORDS.lines() {
            assert!(word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
    }
}

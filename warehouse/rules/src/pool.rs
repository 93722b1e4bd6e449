//! Every value of a study once. A cell is a [`Sym`], four bytes, and two cells with equal values have equal syms,
//! so that comparing, grouping and joining work on numbers.

use std::collections::HashMap;
use std::sync::Arc;

use crate::RuleError;

/// One value of a study. [`Sym::EMPTY`] is the empty value, which is null, as in SAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Sym(u32);

impl Sym {
    /// The empty value: a null, an empty text and a missing number alike.
    pub(crate) const EMPTY: Self = Self(0);

    pub(crate) fn is_empty(self) -> bool {
        self == Self::EMPTY
    }
}

/// What a value is, which decides to what it can be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Text,
    Float,
    Integer,
    Flag,
}

#[derive(Debug, Clone)]
struct Entry {
    text: Arc<str>,
    sort: Sort,
    /// The number that the text says; NaN where it says none.
    number: f64,
}

/// The values, each with its text and its number.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    /// The sym of the first entry: 0 for a study's pool, its length for a [`Scratch`]'s.
    first: u32,
    entries: Vec<Entry>,
    texts: HashMap<Arc<str>, Sym>,
    floats: HashMap<u64, Sym>,
    integers: HashMap<i64, Sym>,
    flags: [Option<Sym>; 2],
}

impl Pool {
    /// A pool that holds the empty value alone.
    pub(crate) fn new() -> Self {
        let mut pool = Self::starting_at(0);
        let text: Arc<str> = Arc::from("");
        pool.entries.push(Entry { text: text.clone(), sort: Sort::Text, number: f64::NAN });
        pool.texts.insert(text, Sym::EMPTY);
        pool
    }

    fn starting_at(first: u32) -> Self {
        Self {
            first,
            entries: Vec::new(),
            texts: HashMap::new(),
            floats: HashMap::new(),
            integers: HashMap::new(),
            flags: [None; 2],
        }
    }

    fn push(&mut self, text: Arc<str>, sort: Sort, number: f64) -> Result<Sym, RuleError> {
        let sym = u32::try_from(self.entries.len())
            .ok()
            .and_then(|length| self.first.checked_add(length))
            .filter(|sym| *sym < u32::MAX)
            .ok_or(RuleError::TooManyValues { limit: u32::MAX })?;
        self.entries.push(Entry { text, sort, number });
        Ok(Sym(sym))
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<Sym, RuleError> {
        if let Some(sym) = self.texts.get(text) {
            return Ok(*sym);
        }
        let shared: Arc<str> = Arc::from(text);
        let sym = self.push(shared.clone(), Sort::Text, number_of(text))?;
        self.texts.insert(shared, sym);
        Ok(sym)
    }

    pub(crate) fn float(&mut self, number: f64) -> Result<Sym, RuleError> {
        if number.is_nan() {
            return Ok(Sym::EMPTY);
        }
        let bits = float_key(number);
        if let Some(sym) = self.floats.get(&bits) {
            return Ok(*sym);
        }
        let sym = self.push(Arc::from(float_text(number)), Sort::Float, number)?;
        self.floats.insert(bits, sym);
        Ok(sym)
    }

    /// An integer. Equal to the float of the same size, but written without a point.
    pub(crate) fn integer(&mut self, number: i64) -> Result<Sym, RuleError> {
        if let Some(sym) = self.integers.get(&number) {
            return Ok(*sym);
        }
        #[expect(clippy::cast_precision_loss, reason = "counts and study days stay below 2^52")]
        let size = number as f64;
        let sym = self.push(Arc::from(number.to_string()), Sort::Integer, size)?;
        self.integers.insert(number, sym);
        Ok(sym)
    }

    pub(crate) fn flag(&mut self, flag: bool) -> Result<Sym, RuleError> {
        if let Some(sym) = self.flags[usize::from(flag)] {
            return Ok(sym);
        }
        let (text, number) = if flag { ("True", 1.0) } else { ("False", 0.0) };
        let sym = self.push(Arc::from(text), Sort::Flag, number)?;
        self.flags[usize::from(flag)] = Some(sym);
        Ok(sym)
    }

    /// The value of a cell of a numeric variable: its number, or its text where it is none.
    pub(crate) fn numeric_cell(&mut self, text: &str) -> Result<Sym, RuleError> {
        if text.trim().is_empty() || text.trim() == "." {
            return Ok(Sym::EMPTY);
        }
        match number_of(text) {
            number if number.is_nan() => self.text(text),
            number => self.float(number),
        }
    }

    fn entry(&self, sym: Sym) -> &Entry {
        &self.entries[(sym.0 - self.first) as usize]
    }

    fn len(&self) -> u32 {
        u32::try_from(self.entries.len()).expect("`push` counts the entries with 32 bits")
    }
}

/// The values of a study together with those that one rule makes on its way. Each rule has its own, so that rules
/// run beside each other without a lock.
#[derive(Debug)]
pub(crate) struct Scratch<'s> {
    study: &'s Pool,
    own: Pool,
}

impl<'s> Scratch<'s> {
    pub(crate) fn over(study: &'s Pool) -> Self {
        Self { study, own: Pool::starting_at(study.len()) }
    }

    fn entry(&self, sym: Sym) -> &Entry {
        if sym.0 < self.own.first { self.study.entry(sym) } else { self.own.entry(sym) }
    }

    pub(crate) fn text_of(&self, sym: Sym) -> &str {
        &self.entry(sym).text
    }

    pub(crate) fn sort_of(&self, sym: Sym) -> Sort {
        self.entry(sym).sort
    }

    /// The number that the value is, or that its text says.
    pub(crate) fn number_of(&self, sym: Sym) -> Option<f64> {
        Some(self.entry(sym).number).filter(|number| !number.is_nan())
    }

    /// Whether two values are equal: texts by their characters, numbers by their size, never one with the other.
    pub(crate) fn same(&self, one: Sym, other: Sym) -> bool {
        if one == other {
            return true;
        }
        let (one, other) = (self.entry(one), self.entry(other));
        one.sort != Sort::Text && other.sort != Sort::Text && one.number == other.number
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<Sym, RuleError> {
        match self.find_text(text) {
            Some(sym) => Ok(sym),
            None => self.own.text(text),
        }
    }

    pub(crate) fn integer(&mut self, number: i64) -> Result<Sym, RuleError> {
        match self.study.integers.get(&number) {
            Some(sym) => Ok(*sym),
            None => self.own.integer(number),
        }
    }

    pub(crate) fn float(&mut self, number: f64) -> Result<Sym, RuleError> {
        match self.study.floats.get(&float_key(number)) {
            Some(sym) => Ok(*sym),
            None => self.own.float(number),
        }
    }

    pub(crate) fn flag(&mut self, flag: bool) -> Result<Sym, RuleError> {
        self.own.flag(flag)
    }

    /// The sym of a text, where some cell has it.
    pub(crate) fn find_text(&self, text: &str) -> Option<Sym> {
        self.study.texts.get(text).or_else(|| self.own.texts.get(text)).copied()
    }
}

/// The number that a text says in full, surrounding blanks aside; NaN where it says none.
fn number_of(text: &str) -> f64 {
    let text = text.trim();
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if plain { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// One key for each number: both zeros have the same.
fn float_key(number: f64) -> u64 {
    if number == 0.0 { 0 } else { number.to_bits() }
}

/// A number as the published expected results write it: the shortest text that reads back, always with a point,
/// and with an exponent from 1e16 on and below 1e-4.
pub(crate) fn float_text(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && size.is_finite() && !(1e-4..1e16).contains(&size) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    let text = number.to_string();
    if text.contains('.') || !size.is_finite() { text } else { format!("{text}.0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_with_a_point_or_an_exponent() {
        for (number, text) in [
            (1.0, "1.0"),
            (-15.0, "-15.0"),
            (0.1, "0.1"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
        ] {
            assert_eq!(float_text(number), text);
        }
    }

    #[test]
    fn a_number_equals_a_number_and_never_a_text() {
        let mut pool = Pool::new();
        let (float, text) = (pool.numeric_cell(" 1 ").unwrap(), pool.text("1").unwrap());
        let mut scratch = Scratch::over(&pool);
        let integer = scratch.integer(1).unwrap();
        assert!(scratch.same(float, integer));
        assert!(!scratch.same(float, text));
        assert_eq!(scratch.number_of(text), Some(1.0));
        assert_eq!(scratch.text_of(integer), "1");
    }

    #[test]
    fn a_missing_number_is_the_empty_value() {
        let mut pool = Pool::new();
        assert_eq!(pool.numeric_cell("  ").unwrap(), Sym::EMPTY);
        assert_eq!(pool.numeric_cell(".").unwrap(), Sym::EMPTY);
        assert_eq!(pool.text("").unwrap(), Sym::EMPTY);
    }
}

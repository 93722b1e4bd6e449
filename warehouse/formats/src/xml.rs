//! XML as it may come from anyone: a pull parser with a limit for everything that can grow.
//!
//! Entities are not expanded, a document type is refused, and depth, attributes, tokens and the subtrees that
//! are held at once are limited. Each error names the line, the byte and the path of elements.

use std::path::{Path, PathBuf};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use crate::error::file_name;
use crate::{Error, Result};

mod input;

use input::Input;

/// Elements within elements. Real files have about a dozen.
const MAX_DEPTH: usize = 100;
/// Attributes of one element. Real files have about twenty.
const MAX_ATTRIBUTES: usize = 200;
/// Bytes of one tag, one text or one comment.
const MAX_TOKEN: usize = 16 << 20;
/// Elements that are held in memory at once: a code list of a dictionary's size.
const MAX_HELD_ELEMENTS: usize = 500_000;
/// Bytes of text and attributes that are held in memory at once.
const MAX_HELD_BYTES: usize = 64 << 20;

/// Whose words a name is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vocabulary {
    /// ODM, of whatever version.
    Odm,
    /// The Define-XML extension of ODM.
    Define,
    /// A vendor's extension, or no namespace at all.
    Vendor,
}

impl Vocabulary {
    fn of(namespace: &str) -> Self {
        if namespace.starts_with("http://www.cdisc.org/ns/odm/v") {
            Self::Odm
        } else if namespace.starts_with("http://www.cdisc.org/ns/def/v") {
            Self::Define
        } else {
            Self::Vendor
        }
    }
}

/// One element: as it opens, or with all that stands in it.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) vocabulary: Vocabulary,
    /// The namespace of the root element; empty below it, where the vocabulary says enough.
    pub(crate) namespace: String,
    /// Its name without a prefix.
    pub(crate) name: String,
    attributes: Vec<Attribute>,
    pub(crate) text: String,
    pub(crate) children: Vec<Self>,
}

#[derive(Debug, Clone)]
struct Attribute {
    /// Whether it has a prefix, which makes it an extension's.
    prefixed: bool,
    name: String,
    value: String,
}

impl Element {
    /// An element without a name, for where one was taken from.
    pub(crate) const fn empty() -> Self {
        Self {
            vocabulary: Vocabulary::Vendor,
            namespace: String::new(),
            name: String::new(),
            attributes: Vec::new(),
            text: String::new(),
            children: Vec::new(),
        }
    }

    /// Whether it is the ODM element of that name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.vocabulary == Vocabulary::Odm && self.name == name
    }

    /// An attribute without a prefix; empty is none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.find(false, name)
    }

    /// An attribute of an extension: of Define-XML or of a vendor.
    pub(crate) fn extension(&self, name: &str) -> Option<&str> {
        self.find(true, name)
    }

    /// Whether the attribute is there, even if it is empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|attribute| !attribute.prefixed && attribute.name == name)
    }

    fn find(&self, prefixed: bool, name: &str) -> Option<&str> {
        let mut named = self.attributes.iter();
        let found = named.find(|attribute| attribute.prefixed == prefixed && attribute.name == name)?;
        Some(found.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The first child of that name, of any vocabulary.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of that name, of any vocabulary.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text of the first child of that name; empty is none.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).and_then(Self::own_text)
    }

    /// Its own trimmed text; empty is none.
    pub(crate) fn own_text(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The first `TranslatedText` of the child of that name, else the text of the child itself.
    pub(crate) fn translated(&self, name: &str) -> Option<&str> {
        let child = self.child(name)?;
        child.text_of("TranslatedText").or_else(|| child.own_text())
    }
}

/// What the parser meets next.
#[derive(Debug)]
pub(crate) enum Step {
    /// An element opens. Its children follow, or [`Xml::whole`] collects them.
    Open(Element),
    /// The innermost open element closes.
    Close,
    /// The document has ended.
    End,
}

/// A pull parser over one file.
pub(crate) struct Xml {
    reader: NsReader<Input>,
    buffer: Vec<u8>,
    path: PathBuf,
    format: &'static str,
    /// The path of the open elements, each with a slash before it, and where each begins.
    open: String,
    starts: Vec<usize>,
    rooted: bool,
}

/// Whether the first bytes of a file may be XML.
pub(crate) fn looks_like_xml(head: &[u8]) -> bool {
    input::is_xml(head)
}

impl Xml {
    /// Opens a file; `format` is what errors call it.
    pub(crate) fn open(path: &Path, format: &'static str) -> Result<Self> {
        let input = Input::open(path, MAX_TOKEN).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidData => Error::damaged(&file_name(path), format, error.to_string()),
            _ => Error::io("open", path, error),
        })?;
        let mut reader = NsReader::from_reader(input);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = false;
        Ok(Self {
            reader,
            buffer: Vec::new(),
            path: path.to_owned(),
            format,
            open: String::new(),
            starts: Vec::new(),
            rooted: false,
        })
    }

    /// The encoding of the file, by its name in lower case.
    pub(crate) fn encoding(&self) -> &'static str {
        self.reader.get_ref().encoding()
    }

    /// The next element that opens or closes. Text between elements is passed over.
    pub(crate) fn step(&mut self) -> Result<Step> {
        self.advance(None)
    }

    /// The element that has just opened, with all that stands in it.
    pub(crate) fn whole(&mut self, opened: Element) -> Result<Element> {
        let (mut stack, mut held, mut bytes) = (vec![opened], 0, 0);
        loop {
            let mut text = String::new();
            let step = self.advance(Some(&mut text))?;
            bytes += text.len();
            if let Some(innermost) = stack.last_mut() {
                innermost.text.push_str(&text);
            }
            match step {
                Step::Open(element) => {
                    held += 1;
                    bytes +=
                        element.attributes.iter().map(|attribute| attribute.value.len() + 64).sum::<usize>();
                    if held > MAX_HELD_ELEMENTS || bytes > MAX_HELD_BYTES {
                        return Err(self.damaged(format!(
                            "it is larger than {MAX_HELD_ELEMENTS} elements or {MAX_HELD_BYTES} bytes"
                        )));
                    }
                    stack.push(element);
                }
                Step::Close => {
                    let Some(closed) = stack.pop() else { continue };
                    match stack.last_mut() {
                        Some(parent) => parent.children.push(closed),
                        None => return Ok(closed),
                    }
                }
                Step::End => return Err(self.damaged("it was cut short")),
            }
        }
    }

    /// Passes over what stands in the element that has just opened.
    pub(crate) fn skip(&mut self) -> Result<()> {
        let depth = self.starts.len();
        while self.starts.len() >= depth {
            self.advance(None)?;
        }
        Ok(())
    }

    /// A fault at the place that was reached.
    pub(crate) fn damaged(&self, reason: impl AsRef<str>) -> Error {
        let input = self.reader.get_ref();
        let place = format!("line {}, byte {}, {}", input.line(), input.byte(), self.open);
        Error::damaged(&file_name(&self.path), self.format, format!("{place}: {}", reason.as_ref()))
    }

    fn advance(&mut self, mut text: Option<&mut String>) -> Result<Step> {
        loop {
            self.buffer.clear();
            self.reader.get_mut().renew();
            let mut buffer = std::mem::take(&mut self.buffer);
            let event = self.reader.read_event_into(&mut buffer);
            let event = event.map_err(|error| self.broken(error))?;
            let step = self.meet(&event, text.as_deref_mut())?;
            drop(event);
            self.buffer = buffer;
            if let Some(step) = step {
                return Ok(step);
            }
        }
    }

    fn meet(&mut self, event: &Event<'_>, text: Option<&mut String>) -> Result<Option<Step>> {
        match event {
            Event::Start(start) => return self.opened(start).map(|element| Some(Step::Open(element))),
            Event::End(_) => {
                if let Some(start) = self.starts.pop() {
                    self.open.truncate(start);
                }
                return Ok(Some(Step::Close));
            }
            Event::Eof if !self.starts.is_empty() => return Err(self.damaged("it was cut short")),
            Event::Eof if !self.rooted => return Err(self.damaged("it holds no element")),
            Event::Eof => return Ok(Some(Step::End)),
            Event::DocType(_) => {
                return Err(
                    self.damaged("it has a document type, which is not read; send it without <!DOCTYPE>")
                );
            }
            Event::Text(words) => self.collect(&words.xml10_content(), text)?,
            Event::CData(words) => self.collect(&words.xml10_content(), text)?,
            Event::GeneralRef(reference) => {
                let letter = self.referred(reference)?;
                self.collect(letter.encode_utf8(&mut [0; 4]), text)?;
            }
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        Ok(None)
    }

    fn collect(&self, words: &str, text: Option<&mut String>) -> Result<()> {
        if self.starts.is_empty() && !words.trim_matches('\u{feff}').trim().is_empty() {
            return Err(self.damaged("text stands outside of the root element"));
        }
        let Some(text) = text else { return Ok(()) };
        if text.len() + words.len() > MAX_TOKEN {
            return Err(self.damaged(format!("a text is larger than {MAX_TOKEN} bytes")));
        }
        self.check_characters(words)?;
        text.push_str(words);
        Ok(())
    }

    fn check_characters(&self, words: &str) -> Result<()> {
        let forbidden = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
        match words.bytes().find(|byte| forbidden(*byte)) {
            Some(byte) => Err(self.damaged(format!("it holds the control character {byte:#04x}"))),
            None => Ok(()),
        }
    }

    fn referred(&self, reference: &quick_xml::events::BytesRef<'_>) -> Result<char> {
        let refused = |name: &str| {
            self.damaged(format!("`&{name};` is not one of XML's own references; entities are not expanded"))
        };
        let name: &str = reference;
        if reference.is_char_ref() {
            return reference.resolve_char_ref().ok().flatten().ok_or_else(|| refused(name));
        }
        match name {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "apos" => Ok('\''),
            "quot" => Ok('"'),
            _ => Err(refused(name)),
        }
    }

    fn opened(&mut self, start: &BytesStart<'_>) -> Result<Element> {
        if self.starts.is_empty() && self.rooted {
            return Err(self.damaged("a second root element follows the first"));
        }
        if self.starts.len() >= MAX_DEPTH {
            return Err(self.damaged(format!("elements stand more than {MAX_DEPTH} deep")));
        }
        self.rooted = true;
        let (resolved, local) = self.reader.resolver().resolve_element(start.name());
        let name = local.into_inner().to_owned();
        let is_root = self.starts.is_empty();
        let (vocabulary, namespace) = match resolved {
            ResolveResult::Bound(namespace) => {
                let namespace = namespace.into_inner();
                (Vocabulary::of(namespace), if is_root { namespace.to_owned() } else { String::new() })
            }
            ResolveResult::Unbound => (Vocabulary::Vendor, String::new()),
            ResolveResult::Unknown(prefix) => {
                return Err(self.damaged(format!("the prefix `{prefix}` is not declared")));
            }
        };
        self.starts.push(self.open.len());
        self.open.push('/');
        self.open.push_str(&name);
        let attributes = self.attributes(start)?;
        Ok(Element { vocabulary, namespace, name, attributes, text: String::new(), children: Vec::new() })
    }

    fn attributes(&self, start: &BytesStart<'_>) -> Result<Vec<Attribute>> {
        let mut attributes: Vec<Attribute> = Vec::new();
        // The library looks for doubles too, but in time that grows with the square of their number.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.damaged(error.to_string()))?;
            if attributes.len() >= MAX_ATTRIBUTES {
                return Err(self.damaged(format!("an element has more than {MAX_ATTRIBUTES} attributes")));
            }
            let (local, prefix) = attribute.key.decompose();
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|error| self.damaged(format!("`{}`: {error}", local.into_inner())))?;
            self.check_characters(&value)?;
            let prefixed = prefix.is_some();
            let name = local.into_inner();
            if !prefixed && attributes.iter().any(|known| !known.prefixed && known.name == name) {
                return Err(self.damaged(format!("the attribute `{name}` occurs twice")));
            }
            attributes.push(Attribute { prefixed, name: name.to_owned(), value: value.into_owned() });
        }
        Ok(attributes)
    }

    fn broken(&self, error: quick_xml::Error) -> Error {
        match error {
            quick_xml::Error::Io(error) if error.kind() != std::io::ErrorKind::InvalidData => {
                Error::io("read", &self.path, std::io::Error::new(error.kind(), error.to_string()))
            }
            quick_xml::Error::Io(error) => self.damaged(error.to_string()),
            error => self.damaged(error.to_string()),
        }
    }
}

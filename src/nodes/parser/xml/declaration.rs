//! Comments, CDATA and doctypes.

use super::{
    piece::Piece,
    sax::{Read, Sax},
};

impl Sax<'_> {
    /// `<!…`: a comment, CDATA, or a doctype.
    pub(super) fn declaration(&mut self) -> Read<Option<Piece>> {
        let mut word = String::new();
        loop {
            let c = self.must()?;
            word.push(c);
            if word == "--" {
                self.comment()?;
                return Ok(None);
            }
            if word.eq_ignore_ascii_case("[CDATA[") {
                let text = self.until("]]>")?;
                // CDATA without text says nothing, and neither does any outside of the root.
                let says = !text.is_empty() && !self.open.is_empty();
                return Ok(says.then_some(Piece::Cdata(text)));
            }
            if word.eq_ignore_ascii_case("DOCTYPE") {
                if self.saw_doctype || self.saw_root {
                    return self.fail("Inappropriately located doctype declaration");
                }
                self.saw_doctype = true;
                self.doctype()?;
                return Ok(None);
            }
            if c == '>' {
                return Ok(None);
            }
        }
    }

    fn comment(&mut self) -> Read<()> {
        self.until("--")?;
        match self.must()? {
            '>' => Ok(()),
            _ => self.fail("Malformed comment"),
        }
    }

    /// A doctype is passed over: entities that it declares are none to sax-js, so none can multiply.
    fn doctype(&mut self) -> Read<()> {
        let (mut quote, mut in_subset) = (None, false);
        loop {
            let c = self.must()?;
            match quote {
                Some(open) if c == open => quote = None,
                Some(_) => {}
                None => match c {
                    '"' | '\'' => quote = Some(c),
                    '[' => in_subset = true,
                    ']' => in_subset = false,
                    '<' if in_subset && self.rest.as_str().starts_with("!--") => {
                        self.rest.nth(2);
                        self.column += 3;
                        self.comment()?;
                    }
                    '>' if !in_subset => return Ok(()),
                    _ => {}
                },
            }
        }
    }
}

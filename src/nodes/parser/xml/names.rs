//! Which characters stand in XML, and in its names.

/// Whether a name may begin with it, as sax-js has it.
pub(super) fn starts_name(c: char) -> bool {
    matches!(c, ':' | '_' | 'A'..='Z' | 'a'..='z'
        | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}'
        | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}'
        | '\u{FDF0}'..='\u{FFFD}')
}

/// Whether a name may go on with it.
pub(super) fn continues_name(c: char) -> bool {
    starts_name(c)
        || matches!(c, '.' | '-' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether it is the name of an element or attribute, as xmlbuilder has it.
pub(super) fn is_name(name: &str) -> bool {
    let beyond = |c: char| matches!(c, '\u{10000}'..='\u{EFFFF}');
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| starts_name(c) || beyond(c))
        && characters.all(|c| continues_name(c) || beyond(c))
}

/// What XML takes for a blank.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\n' | '\r' | '\t')
}

/// Characters that XML allows.
pub(super) fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

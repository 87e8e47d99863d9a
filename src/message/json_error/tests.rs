//! What JSON texts have wrong, told as Node.js tells it.

use super::*;

/// Compared with Node.js 24.
#[test]
fn mistakes_read_as_in_v8() {
    for (text, sentence) in TABLE {
        assert_eq!(
            JsonError::find(text).unwrap().to_string(),
            *sentence,
            "{text}"
        );
    }
}

const TABLE: &[(&str, &str)] = &[
    ("", "Unexpected end of JSON input"),
    (
        "{",
        "Expected property name or '}' in JSON at position 1 (line 1 column 2)",
    ),
    ("[", "Unexpected end of JSON input"),
    (
        "[1",
        "Expected ',' or ']' after array element in JSON at position 2 (line 1 column 3)",
    ),
    ("[1,", "Unexpected end of JSON input"),
    (
        "{\"a\"",
        "Expected ':' after property name in JSON at position 4 (line 1 column 5)",
    ),
    ("{\"a\":", "Unexpected end of JSON input"),
    (
        "{\"a\":1",
        "Expected ',' or '}' after property value in JSON at position 6 (line 1 column 7)",
    ),
    (
        "{\"a\":1,",
        "Expected double-quoted property name in JSON at position 7 (line 1 column 8)",
    ),
    (
        "{\"a\":1,}",
        "Expected double-quoted property name in JSON at position 7 (line 1 column 8)",
    ),
    ("[1,]", "Unexpected token ']', \"[1,]\" is not valid JSON"),
    ("foo", "Unexpected token 'o', \"foo\" is not valid JSON"),
    (
        "{foo}",
        "Expected property name or '}' in JSON at position 1 (line 1 column 2)",
    ),
    (
        "{'a':1}",
        "Expected property name or '}' in JSON at position 1 (line 1 column 2)",
    ),
    (
        "{\"a\" 1}",
        "Expected ':' after property name in JSON at position 5 (line 1 column 6)",
    ),
    (
        "[1 2]",
        "Expected ',' or ']' after array element in JSON at position 3 (line 1 column 4)",
    ),
    ("tru", "Unexpected end of JSON input"),
    (
        "truex",
        "Unexpected non-whitespace character after JSON at position 4 (line 1 column 5)",
    ),
    ("nul", "Unexpected end of JSON input"),
    ("nulx", "Unexpected token 'x', \"nulx\" is not valid JSON"),
    (
        "tr\"",
        "Unexpected string in JSON at position 2 (line 1 column 3)",
    ),
    (
        "tr1",
        "Unexpected number in JSON at position 2 (line 1 column 3)",
    ),
    (
        "-",
        "No number after minus sign in JSON at position 1 (line 1 column 2)",
    ),
    (
        "-x",
        "No number after minus sign in JSON at position 1 (line 1 column 2)",
    ),
    (
        "1.",
        "Unterminated fractional number in JSON at position 2 (line 1 column 3)",
    ),
    (
        "1.x",
        "Unterminated fractional number in JSON at position 2 (line 1 column 3)",
    ),
    (
        "1e",
        "Exponent part is missing a number in JSON at position 2 (line 1 column 3)",
    ),
    (
        "1e+",
        "Exponent part is missing a number in JSON at position 3 (line 1 column 4)",
    ),
    (
        "01",
        "Unexpected number in JSON at position 1 (line 1 column 2)",
    ),
    (
        "-01",
        "Unexpected number in JSON at position 2 (line 1 column 3)",
    ),
    (
        "\"abc",
        "Unterminated string in JSON at position 4 (line 1 column 5)",
    ),
    (
        "\"a\nb\"",
        "Bad control character in string literal in JSON at position 2 (line 1 column 3)",
    ),
    (
        "\"\\x\"",
        "Bad escaped character in JSON at position 2 (line 1 column 3)",
    ),
    (
        "\"\\u12g4\"",
        "Bad Unicode escape in JSON at position 5 (line 1 column 6)",
    ),
    ("\"\\", "Unexpected end of JSON input"),
    (
        "\"\\u12",
        "Bad Unicode escape in JSON at position 5 (line 1 column 6)",
    ),
    (
        "1 2",
        "Unexpected non-whitespace character after JSON at position 2 (line 1 column 3)",
    ),
    (
        "{} x",
        "Unexpected non-whitespace character after JSON at position 3 (line 1 column 4)",
    ),
    ("undefined", "\"undefined\" is not valid JSON"),
    ("NaN", "\"NaN\" is not valid JSON"),
    ("Infinity", "\"Infinity\" is not valid JSON"),
    ("[object Object]", "\"[object Object]\" is not valid JSON"),
    (
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "Unexpected token 'x', \"xxxxxxxxxx\"... is not valid JSON",
    ),
    (
        "{\"a\":\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\",foo:1}",
        "Expected double-quoted property name in JSON at position 38 (line 1 column 39)",
    ),
    (
        "{\"aaaaaaaaaaaaaaaaaaaaaaaaa\": foo}",
        "Unexpected token 'o', ...\"aaaaaa\": foo}\" is not valid JSON",
    ),
    (
        "{\"aaaaaaaaaaaaaaaaaaaaaaaaa\": 1, \"b\": foo, \"ccccccccccccccccccccccccccc\":1}",
        "Unexpected token 'o', ...\" 1, \"b\": foo, \"ccccc\"... is not valid JSON",
    ),
    (
        "{\n  \"a\": 1,\n  b: 2\n}",
        "Expected double-quoted property name in JSON at position 14 (line 3 column 3)",
    ),
    (
        "{\"a\":1}}",
        "Unexpected non-whitespace character after JSON at position 7 (line 1 column 8)",
    ),
    ("]", "Unexpected token ']', \"]\" is not valid JSON"),
    ("}", "Unexpected token '}', \"}\" is not valid JSON"),
    (":", "Unexpected token ':', \":\" is not valid JSON"),
    (",", "Unexpected token ',', \",\" is not valid JSON"),
    ("[}", "Unexpected token '}', \"[}\" is not valid JSON"),
    (
        "{]",
        "Expected property name or '}' in JSON at position 1 (line 1 column 2)",
    ),
    (
        "{\"a\":}",
        "Unexpected token '}', \"{\"a\":}\" is not valid JSON",
    ),
    (
        "{\"a\":,}",
        "Unexpected token ',', \"{\"a\":,}\" is not valid JSON",
    ),
    (
        "<html></html>",
        "Unexpected token '<', \"<html></html>\" is not valid JSON",
    ),
    ("é", "Unexpected token 'é', \"é\" is not valid JSON"),
    (
        "\"😀\" x",
        "Unexpected non-whitespace character after JSON at position 5 (line 1 column 6)",
    ),
    (
        "[1,\r\n2,\r\nx]",
        "Unexpected token 'x', \"[1,\r\n2,\r\nx]\" is not valid JSON",
    ),
    (
        "{\"a\":tru}",
        "Unexpected token '}', \"{\"a\":tru}\" is not valid JSON",
    ),
    (
        "{\"a\":\"b\" \"c\"}",
        "Expected ',' or '}' after property value in JSON at position 9 (line 1 column 10)",
    ),
    (
        "[\"a\" \"b\"]",
        "Expected ',' or ']' after array element in JSON at position 5 (line 1 column 6)",
    ),
    (
        "\"\t\"",
        "Bad control character in string literal in JSON at position 1 (line 1 column 2)",
    ),
    (
        "{\"é\":1,x}",
        "Expected double-quoted property name in JSON at position 7 (line 1 column 8)",
    ),
    (
        "12345678901234567890x",
        "Unexpected non-whitespace character after JSON at position 20 (line 1 column 21)",
    ),
    (
        "aaaaaaaaaaaaaaaaaaaa",
        "Unexpected token 'a', \"aaaaaaaaaaaaaaaaaaaa\" is not valid JSON",
    ),
    (
        "aaaaaaaaaaaaaaaaaaaaa",
        "Unexpected token 'a', \"aaaaaaaaaa\"... is not valid JSON",
    ),
    (
        "[1,2,3,4,5,6,7,8,9,10,x",
        "Unexpected token 'x', ...\",7,8,9,10,x\" is not valid JSON",
    ),
    (
        "{\"1\":1,\"2\":2,\"3\":3,\"4\":x}aaaaaaaaaaaaaa",
        "Unexpected token 'x', ...\"\"3\":3,\"4\":x}aaaaaaaa\"... is not valid JSON",
    ),
    (
        "\u{a0}1",
        "Unexpected token '\u{a0}', \"\u{a0}1\" is not valid JSON",
    ),
    (
        "1\u{a0}",
        "Unexpected non-whitespace character after JSON at position 1 (line 1 column 2)",
    ),
    ("+1", "Unexpected token '+', \"+1\" is not valid JSON"),
    (".5", "Unexpected token '.', \".5\" is not valid JSON"),
    (
        "0x1",
        "Unexpected non-whitespace character after JSON at position 1 (line 1 column 2)",
    ),
    (
        "1a",
        "Unexpected non-whitespace character after JSON at position 1 (line 1 column 2)",
    ),
    (
        "\"a\"b",
        "Unexpected non-whitespace character after JSON at position 3 (line 1 column 4)",
    ),
    (
        "\u{feff}{}",
        "Unexpected token '\u{feff}', \"\u{feff}{}\" is not valid JSON",
    ),
    (
        "[\n\n\nx\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n]",
        "Unexpected token 'x', \"[\n\n\nx\n\n\n\n\n\n\n\n\n\"... is not valid JSON",
    ),
    ("[[[[[[[[[[[[[[[[[[[[[[[[[[", "Unexpected end of JSON input"),
    ("\"\\", "Unexpected end of JSON input"),
    (
        "null x",
        "Unexpected non-whitespace character after JSON at position 5 (line 1 column 6)",
    ),
    ("[,1]", "Unexpected token ',', \"[,1]\" is not valid JSON"),
    (
        "{\"a\":1 \"b\":2}",
        "Expected ',' or '}' after property value in JSON at position 7 (line 1 column 8)",
    ),
    (
        "{,}",
        "Expected property name or '}' in JSON at position 1 (line 1 column 2)",
    ),
];

#[test]
fn good_texts_have_none() {
    for text in [
        "1",
        " [1, {\"a\": [], \"b\": {}}, \"\\u00e4\\n\", -0.5e+3, true, null] ",
        "\"\\ud800\"",
    ] {
        assert_eq!(JsonError::find(text), None, "{text}");
    }
}

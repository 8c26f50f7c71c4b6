//! The letters of payment files: those that every bank of SEPA carries (EPC 217-08), and what others become.

use super::BankError;

/// A text in letters that payment files carry, with the accents of Latin letters taken off, and at most this
/// many. What is not Latin is refused: a name in other letters would not be the one that the bank knows.
///
/// # Errors
/// [`BankError`] naming the letter, or the length.
pub fn plain(text: &str, most: usize) -> Result<String, BankError> {
    let mut plain = String::with_capacity(text.len());
    for letter in text.trim().chars() {
        if is_carried(letter) {
            plain.push(letter);
        } else if let Some(written) = written(letter) {
            plain.push_str(written);
        } else {
            return Err(BankError::Letter { text: text.to_owned(), letter });
        }
    }
    let found = plain.len();
    match found {
        0 => Err(BankError::Empty),
        _ if found > most => Err(BankError::TooLong { text: text.to_owned(), found, most }),
        _ => Ok(plain),
    }
}

fn is_carried(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "/-?:().,'+ ".contains(letter)
}

/// How a letter is written without what banks do not carry.
fn written(letter: char) -> Option<&'static str> {
    Some(match letter {
        'À' | 'Á' | 'Â' | 'Ã' | 'Å' | 'Ā' | 'Ă' | 'Ą' => "A",
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'Ä' | 'Æ' => "AE",
        'ä' | 'æ' => "ae",
        'Ç' | 'Ć' | 'Ĉ' | 'Ċ' | 'Č' => "C",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ď' | 'đ' | 'ð' => "d",
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ĕ' | 'Ė' | 'Ę' | 'Ě' => "E",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'Ĝ' | 'Ğ' | 'Ġ' | 'Ģ' => "G",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'Ĥ' | 'Ħ' => "H",
        'ĥ' | 'ħ' => "h",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ĩ' | 'Ī' | 'Ĭ' | 'Į' | 'İ' => "I",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'Ĵ' => "J",
        'ĵ' => "j",
        'Ķ' => "K",
        'ķ' => "k",
        'Ĺ' | 'Ļ' | 'Ľ' | 'Ŀ' | 'Ł' => "L",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'Ñ' | 'Ń' | 'Ņ' | 'Ň' => "N",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ō' | 'Ŏ' | 'Ő' => "O",
        'ò' | 'ó' | 'ô' | 'õ' | 'ō' | 'ŏ' | 'ő' => "o",
        'Ö' | 'Ø' | 'Œ' => "OE",
        'ö' | 'ø' | 'œ' => "oe",
        'Ŕ' | 'Ŗ' | 'Ř' => "R",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'Ś' | 'Ŝ' | 'Ş' | 'Š' | 'Ș' => "S",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ẞ' => "SS",
        'Ţ' | 'Ť' | 'Ŧ' | 'Ț' => "T",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'Þ' => "TH",
        'þ' => "th",
        'Ù' | 'Ú' | 'Û' | 'Ũ' | 'Ū' | 'Ŭ' | 'Ů' | 'Ű' | 'Ų' => "U",
        'ù' | 'ú' | 'û' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'Ü' => "UE",
        'ü' => "ue",
        'Ŵ' => "W",
        'ŵ' => "w",
        'Ý' | 'Ŷ' | 'Ÿ' => "Y",
        'ý' | 'ŷ' | 'ÿ' => "y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'ź' | 'ż' | 'ž' => "z",
        '&' => "+",
        '’' | '‘' | '`' | '´' | '"' | '“' | '”' | '„' => "'",
        '–' | '—' | '_' => "-",
        '\u{a0}' => " ",
        ';' => ",",
        '[' | '{' => "(",
        ']' | '}' => ")",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_are_taken_off() {
        for (text, expected) in [
            ("Acme Docs GmbH", "Acme Docs GmbH"),
            ("Müller & Söhne", "Mueller + Soehne"),
            ("Łódź Œuvre “Ltd.”", "Lodz OEuvre 'Ltd.'"),
            ("  José Núñez ", "Jose Nunez"),
            ("Straße", "Strasse"),
        ] {
            assert_eq!(plain(text, 70).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_cannot_be_carried_is_refused_by_name() {
        for (text, words) in [
            ("山田太郎", "has '山'"),
            ("Иван", "Latin letters"),
            ("a<b", "has '<'"),
            ("a\nb", "has '\\n'"),
            ("", "empty"),
            ("  ", "empty"),
            (&"x".repeat(71), "71 letters"),
            (&"ß".repeat(36), "72 letters"),
        ] {
            let error = plain(text, 70).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}

//! A conversation with the server, written down as it goes: what was asked, and what was answered.

use std::fmt::Write as _;

use serde_json::Value;

use crate::server::{Client, Reply};

/// What was said so far. What differs from run to run (keys and their ids, request ids, the server's clock)
/// is left out.
#[derive(Default)]
pub struct Conversation {
    transcript: String,
    secrets: Vec<(String, String)>,
}

impl Conversation {
    /// Writes a heading down.
    pub fn part(&mut self, words: &str) {
        let _ = writeln!(self.transcript, "# {words}\n");
    }

    /// What stands in the transcript instead of a text that differs from run to run.
    pub fn hide(&mut self, text: &str, instead: &str) {
        self.secrets.push((text.to_owned(), instead.to_owned()));
    }

    /// Reads something.
    pub fn get(&mut self, who: &Client, path: &str) -> Value {
        self.said("GET", path, None, &who.get(path))
    }

    /// Sends JSON.
    pub fn post(&mut self, who: &Client, path: &str, body: &Value) -> Value {
        self.said("POST", path, Some(body), &who.post(path, body))
    }

    /// Replaces something.
    pub fn put(&mut self, who: &Client, path: &str, body: &Value) -> Value {
        self.said("PUT", path, Some(body), &who.put(path, body))
    }

    /// Sends newline-delimited events.
    pub fn send(&mut self, who: &Client, path: &str, lines: &[Value]) -> Value {
        let text: Vec<String> = lines.iter().map(Value::to_string).collect();
        let reply = who.send(path, &text.join("\n"));
        self.said("POST", path, Some(&Value::String(format!("{} events", lines.len()))), &reply)
    }

    fn said(&mut self, method: &str, path: &str, body: Option<&Value>, reply: &Reply) -> Value {
        let asked = body.map_or_else(String::new, |body| format!(" {body}"));
        let answer = if reply.media_type.contains("json") { reply.json() } else { Value::Null };
        let mut shown = answer.clone();
        forget(&mut shown);
        let words = serde_json::to_string_pretty(&shown).expect("JSON");
        let _ = writeln!(self.transcript, "{method} {path}{asked}\n{} {words}\n", reply.status);
        answer
    }

    /// Everything that was said.
    pub fn transcript(&self) -> String {
        self.secrets.iter().fold(self.transcript.clone(), |told, (text, instead)| told.replace(text, instead))
    }
}

/// Takes out what the server's clock and its randomness say.
fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                let differs = ["request_id", "created_at", "last_used_at", "revoked_at", "voided_at"];
                let is_moment = name == "at" && value.is_string();
                if (differs.contains(&name.as_str()) && !value.is_null()) || is_moment {
                    *value = Value::String("…".to_owned());
                } else {
                    forget(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(forget),
        _ => {}
    }
}

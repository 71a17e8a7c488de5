//! A model's chat template as the pieces that stand around messages.
//!
//! A template is a small program in Jinja's language. It is run here, once, on messages that are known
//! again in what it writes; what stands between them are the pieces, which travel with the model and are
//! joined without a template engine. A template that does more than put messages one after another is
//! refused.

use archer_world::Chat;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Value};

/// Messages that no template writes by itself.
const MESSAGES: [&str; 5] =
    ["probe-one-7f3a", "probe-two-9c1e", "probe-three-4d8b", "probe-four-2b6f", "probe-five-8a5d"];

/// The longest template, in bytes.
const LONGEST: usize = 1 << 14;

/// Bytes of stack for a template: it may nest as deeply as it is long.
const STACK: usize = 64 << 20;

/// Steps of a template's program, which may be a stranger's.
const STEPS: u64 = 200_000;

/// The pieces of a template. `specials` are the texts of the tokenizer's special tokens, and `named` those
/// that templates call by a name (`bos_token`).
///
/// # Errors
/// Why it cannot be used, as a part of a sentence.
pub fn pieces(
    template: &str,
    specials: &[String],
    named: &[(String, String)],
) -> Result<Chat, String> {
    if template.len() > LONGEST {
        return Err(format!("it has {} bytes, and at most {LONGEST} are read", template.len()));
    }
    let run = || {
        Ok([
            rendered(template, 1, named)?,
            rendered(template, 3, named)?,
            rendered(template, 5, named)?,
        ])
    };
    let written: Result<[String; 3], String> = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        let thread = thread.map_err(|error| format!("it cannot be run: {error}"))?;
        thread.join().map_err(|_| "it cannot be run: it broke off".to_string())?
    });
    let written = written?;
    let [one, three, _] = &written;
    let missing = || "it does not write its messages as they are".to_string();
    let (head, tail) = one.split_once(MESSAGES[0]).ok_or_else(missing)?;
    let (_, rest) = three.split_once(MESSAGES[0]).ok_or_else(missing)?;
    let (_, rest) = rest.split_once(MESSAGES[1]).ok_or_else(missing)?;
    let (between, _) = rest.split_once(MESSAGES[2]).ok_or_else(missing)?;
    let stop = first_special(between, specials).ok_or_else(|| {
        "no token of its own ends a message of the assistant, so that nobody knows where it ends"
            .to_string()
    })?;
    let stops_at = between.find(&stop).map_or(0, |at| at + stop.len());
    let after_user = tail.find(&stop).map_or(0, |at| line(tail, at + stop.len()));
    // Where one piece ends and the next begins is free, but for the stop, which is the utterance's.
    let shared = head.len() - common_end(head, &between[stops_at..]).len();
    let before_user = &head[shared..];
    // No message may hold a special token, nor what stands for one where a role is plain text.
    let mut marks: Vec<String> = specials.to_vec();
    for role in [before_user, &tail[after_user..]].map(str::trim) {
        let plain = !specials.iter().any(|special| role.contains(special.as_str()));
        if plain && role.chars().count() > 1 && !role.contains(char::is_whitespace) {
            marks.push(role.to_string());
        }
    }
    let chat = Chat {
        begin: head[..shared].to_string(),
        before_user: before_user.to_string(),
        after_user: tail[..after_user].to_string(),
        before_assistant: tail[after_user..].to_string(),
        after_assistant: between[..between.len() - before_user.len()].to_string(),
        stop,
        marks,
    };
    for (messages, written) in [1, 3, 5].into_iter().zip(&written) {
        if joined(&chat, messages) != *written {
            return Err(
                "it writes a message otherwise by what stands before or after it".to_string()
            );
        }
    }
    Ok(chat)
}

/// A template that joins messages by these pieces.
pub fn template(chat: &Chat) -> String {
    let text = |text: &str| serde_json::to_string(text).expect("a text can be written");
    let Chat { begin, before_user, after_user, before_assistant, after_assistant, .. } = chat;
    let [begin, before_user, after_user] =
        [begin, before_user, after_user].map(|piece| text(piece));
    let [before_assistant, after_assistant] =
        [before_assistant, after_assistant].map(|piece| text(piece));
    format!(
        "{{{{ {begin} }}}}{{% for message in messages %}}{{% if message['role'] == 'assistant' %}}{{{{ {before_assistant} + message['content'] + {after_assistant} }}}}{{% else %}}{{{{ {before_user} + message['content'] + {after_user} }}}}{{% endif %}}{{% endfor %}}{{% if add_generation_prompt %}}{{{{ {before_assistant} }}}}{{% endif %}}"
    )
}

/// What the pieces make of so many messages.
fn joined(chat: &Chat, messages: usize) -> String {
    let mut text = chat.begin.clone();
    for (number, message) in MESSAGES[..messages].iter().enumerate() {
        let (before, after) = match number % 2 {
            0 => (&chat.before_user, &chat.after_user),
            _ => (&chat.before_assistant, &chat.after_assistant),
        };
        text.push_str(&format!("{before}{message}{after}"));
    }
    text + &chat.before_assistant
}

/// What the template writes for messages of user and assistant in turns, and what begins the next.
fn rendered(template: &str, messages: usize, named: &[(String, String)]) -> Result<String, String> {
    let role = |number: usize| if number.is_multiple_of(2) { "user" } else { "assistant" };
    let messages: Vec<Value> = MESSAGES[..messages]
        .iter()
        .enumerate()
        .map(|(number, text)| Value::from_pairs([("role", role(number)), ("content", *text)]))
        .collect();
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| error.to_string())?);
    environment.set_fuel(Some(STEPS));
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function("raise_exception", |text: String| -> Result<String, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, text))
    });
    let known = [("messages", Value::from(messages)), ("add_generation_prompt", Value::from(true))];
    let named = named.iter().map(|(name, text)| (name.as_str(), Value::from(text.as_str())));
    let written =
        environment.render_str(template, Value::from_pairs(known.into_iter().chain(named)));
    written.map_err(|error| format!("it cannot be run: {error}"))
}

/// The special token that stands first in a text.
fn first_special(text: &str, specials: &[String]) -> Option<String> {
    let found = specials.iter().filter_map(|special| Some((text.find(special.as_str())?, special)));
    // Of two at one place the longer.
    let first = found.min_by_key(|(at, special)| (*at, usize::MAX - special.len()));
    first.map(|(_, special)| special.clone())
}

/// The end of a line that begins at a place, where nothing else stands in it; else that place.
fn line(text: &str, at: usize) -> usize {
    if text[at..].starts_with('\n') { at + 1 } else { at }
}

/// The longest text by which both end.
fn common_end<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.chars().rev().zip(other.chars().rev()).take_while(|(a, b)| a == b);
    let bytes: usize = same.map(|(sign, _)| sign.len_utf8()).sum();
    &one[one.len() - bytes..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The usual form, with a message of the system where there is none.
    const CHAT_ML: &str = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nHelp.<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    fn specials(all: &[&str]) -> Vec<String> {
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_template_becomes_pieces() {
        let marks = specials(&["<|endoftext|>", "<|im_start|>", "<|im_end|>"]);
        let chat = pieces(CHAT_ML, &marks, &[]).unwrap();
        assert_eq!(chat.begin, "<|im_start|>system\nHelp.<|im_end|>");
        assert_eq!(chat.before_user, "\n<|im_start|>user\n");
        assert_eq!(chat.after_user, "<|im_end|>\n");
        assert_eq!(chat.before_assistant, "<|im_start|>assistant\n");
        assert_eq!((&chat.after_assistant[..], &chat.stop[..]), ("<|im_end|>", "<|im_end|>"));
        // What is written of the pieces makes the same again.
        let again = pieces(&template(&chat), &marks, &[]).unwrap();
        assert_eq!(joined(&again, 5), joined(&chat, 5));
        assert_eq!(chat.marks, marks);
    }

    /// The form of the brackets, whose roles must take turns.
    const BRACKETS: &str = "{{ bos_token }}{%- for message in messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Roles must take turns') }}
    {%- endif %}
    {%- if message['role'] == 'user' %}
        {{- ' [INST] ' + message['content'].strip() + ' [/INST]' }}
    {%- else %}
        {{- message['content'] + eos_token }}
    {%- endif %}
{%- endfor %}";

    #[test]
    fn the_special_tokens_of_a_file_have_names() {
        let named = [("bos_token", "<s>"), ("eos_token", "</s>")]
            .map(|(name, text)| (name.to_string(), text.to_string()));
        let chat = pieces(BRACKETS, &specials(&["<s>", "</s>"]), &named).unwrap();
        assert_eq!((&chat.begin[..], &chat.stop[..]), ("<s>", "</s>"));
        assert_eq!(joined(&chat, 1), "<s> [INST] probe-one-7f3a [/INST]");
        assert!(joined(&chat, 3).contains("[/INST]probe-two-9c1e</s> [INST] probe-three"));
        assert_eq!(chat.marks, ["<s>", "</s>", "[INST]", "[/INST]"]);
        // A template that nests deeply is refused, and the process goes on.
        let deep = format!("{{{{ {}1 }}}}", "-".repeat(16_000));
        assert!(pieces(&deep, &specials(&["</s>"]), &[]).is_err());
    }

    #[test]
    fn what_is_no_row_of_messages_is_refused() {
        let marks = specials(&["<|im_end|>"]);
        let told = |template: &str| pieces(template, &marks, &[]).unwrap_err();
        // Each message tells how many there are.
        let counting = CHAT_ML.replace("'<|im_end|>' +", "'<|im_end|>' + messages|length|string +");
        assert!(told(&counting).contains("otherwise by what stands before or after"));
        assert!(
            told("{% for message in messages %}{{ message.content }}{% endfor %}").contains("ends")
        );
        assert!(told("Hello.").contains("does not write its messages"));
        // A blank that the assistant's message has only once it is said.
        let blank =
            BRACKETS.replace("{{- message['content'] + e", "{{- ' ' + message['content'] + e");
        let named = [("bos_token".into(), "<s>".into()), ("eos_token".into(), "</s>".into())];
        let of_blank = pieces(&blank, &specials(&["<s>", "</s>"]), &named).unwrap_err();
        assert!(of_blank.contains("otherwise by what stands before or after"), "{of_blank}");
        assert!(told("{{ raise_exception('no chats') }}").contains("no chats"));
        assert!(
            told("{% for i in range(100000000) %}{{ i }}{% endfor %}").contains("cannot be run")
        );
        assert!(told("{% if %}").contains("cannot be run"));
        assert!(told(&" ".repeat(LONGEST + 1)).contains("bytes"));
    }
}

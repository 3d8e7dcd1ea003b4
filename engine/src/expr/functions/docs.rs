//! The documentation of every function as data: the docs page and the studio show it, a test
//! evaluates every example.

/// Documentation of one function, for the docs and the studio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct FunctionDoc {
    /// Family: `text`, `numbers`, `dates`, `lists`, `objects`, `phone`, `encoding`, `data`.
    pub group: &'static str,
    /// Name as written in an expression.
    pub name: &'static str,
    /// Arguments, optional ones in square brackets.
    pub signature: &'static str,
    /// What it does, one or two sentences.
    pub help: &'static str,
    /// An expression that uses it; `now()` is 2026-03-28 13:00 in Berlin.
    pub example: &'static str,
    /// The example's result as JSON.
    pub result: &'static str,
}

/// Every function, grouped by family. Each can also be called as a method of its first argument.
pub fn functions() -> &'static [FunctionDoc] {
    FUNCTIONS
}

/// How a function is used; also of those that only make sense in scripts.
pub(crate) fn signature(name: &str) -> Option<&'static str> {
    let documented = FUNCTIONS.iter().find(|function| function.name == name);
    documented
        .map(|function| function.signature)
        .or_else(|| IN_PLACE.iter().find(|(known, _)| *known == name).map(|(_, signature)| *signature))
}

/// Functions that change a list or object in place, for scripts.
const IN_PLACE: &[(&str, &str)] = &[
    ("push", "push(list, value)"),
    ("pop", "pop(list)"),
    ("insert", "insert(list, position, value)"),
    ("remove", "remove(list, position) or remove(object, key)"),
];

const fn doc(
    group: &'static str,
    name: &'static str,
    signature: &'static str,
    help: &'static str,
    example: &'static str,
    result: &'static str,
) -> FunctionDoc {
    FunctionDoc { group, name, signature, help, example, result }
}

#[rustfmt::skip]
const FUNCTIONS: &[FunctionDoc] = &[
    doc("data", "node", "node(\"Id\")", "The node with this id: `.json` is the item of it that led here, `.items` all its items, `.first` and `.last` the ends.", r#"node("Lookup").json.id"#, "7"),
    doc("data", "kind", "kind(value)", "What a value is: null, true/false, number, text, list or object.", "kind([1])", r#""list""#),
    doc("data", "is_empty", "is_empty(value)", "Whether a value is null, blank text, an empty list or an empty object.", r#"is_empty("  ")"#, "true"),
    doc("data", "if_empty", "if_empty(value, fallback)", "The value, or the fallback when it is empty.", r#""".if_empty("there")"#, r#""there""#),
    doc("data", "len", "len(value)", "Characters of a text, elements of a list or entries of an object.", r#""Grüße".len()"#, "5"),
    doc("data", "contains", "contains(whole, part)", "Whether a text contains a text, a list an element or an object a key. Also written `part in whole`.", r#""hello world".contains("world")"#, "true"),
    doc("data", "to_text", "to_text(value)", "The value as text: null is empty, lists and objects are JSON.", "to_text(2.0)", r#""2""#),

    doc("text", "upper", "upper(text)", "All letters as capitals.", r#""abc".upper()"#, r#""ABC""#),
    doc("text", "lower", "lower(text)", "All letters small.", r#""ABC".lower()"#, r#""abc""#),
    doc("text", "trim", "trim(text)", "Without spaces at both ends.", r#""  a ".trim()"#, r#""a""#),
    doc("text", "title", "title(text)", "Every word with a capital.", r#""ada LOVELACE".title()"#, r#""Ada Lovelace""#),
    doc("text", "capitalize", "capitalize(text)", "The first letter as a capital, the rest as it is.", r#""hello you".capitalize()"#, r#""Hello you""#),
    doc("text", "slug", "slug(text)", "Small letters, digits and hyphens, for addresses.", r#""Größe & Preis!".slug()"#, r#""groesse-preis""#),
    doc("text", "words", "words(text)", "The words between spaces, as a list.", r#""a  b".words()"#, r#"["a","b"]"#),
    doc("text", "lines", "lines(text)", "The lines, as a list.", r#""a\nb".lines()"#, r#"["a","b"]"#),
    doc("text", "split", "split(text, separator)", "The parts between separators, as a list. An empty separator gives the characters.", r#""a,b".split(",")"#, r#"["a","b"]"#),
    doc("text", "replace", "replace(text, from, to)", "Every `from` replaced by `to`.", r#""a-b-c".replace("-", "+")"#, r#""a+b+c""#),
    doc("text", "starts_with", "starts_with(text, start)", "Whether the text starts so.", r#""+49 30".starts_with("+49")"#, "true"),
    doc("text", "ends_with", "ends_with(text, end)", "Whether the text ends so.", r#""a.pdf".ends_with(".pdf")"#, "true"),
    doc("text", "pad", "pad(text, length[, fill])", "Filled at the end up to the length, with spaces or `fill`.", r#""ab".pad(4, ".")"#, r#""ab..""#),
    doc("text", "pad_start", "pad_start(text, length[, fill])", "Filled at the start up to the length. Takes whole numbers too.", r#"pad_start(7, 3, "0")"#, r#""007""#),
    doc("text", "truncate", "truncate(text, length[, end])", "Shortened to at most so many characters, `…` or `end` included.", r#""Hello world".truncate(6)"#, r#""Hello…""#),
    doc("text", "substring", "substring(text, start[, length])", "Characters from a position, counted from 0; negative counts from the end.", r#""abcdef".substring(1, 3)"#, r#""bcd""#),
    doc("text", "repeat", "repeat(text, times)", "The text several times.", r#""ab".repeat(2)"#, r#""abab""#),
    doc("text", "index_of", "index_of(whole, part)", "Position of the first occurrence in a text or list, from 0; null without one.", r#""hello".index_of("l")"#, "2"),
    doc("text", "matches", "matches(text, pattern)", "Whether a regular expression matches somewhere in the text.", r#""order 42".matches("[0-9]+")"#, "true"),
    doc("text", "extract", "extract(text, pattern[, group])", "What a regular expression matches, or its first group; null without a match.", r#""order 42".extract("order ([0-9]+)")"#, r#""42""#),
    doc("text", "extract_all", "extract_all(text, pattern)", "All matches of a regular expression, as a list.", r#""a1 b22".extract_all("[0-9]+")"#, r#"["1","22"]"#),
    doc("text", "has_word", "has_word(text, word or list)", "Whether a text holds one of these words or phrases as whole words, whatever their case; false for null.", r#""What do you charge?".has_word(["price", "charge"])"#, "true"),
    doc("text", "html_escape", "html_escape(text)", "Safe inside HTML.", r#""<b>".html_escape()"#, r#""&lt;b&gt;""#),

    doc("numbers", "to_number", "to_number(value[, default])", "A number from text; an error, or the default, when it is none.", r#""12.5".to_number()"#, "12.5"),
    doc("numbers", "to_int", "to_int(value)", "A whole number, cut off after the point.", r#""12.9".to_int()"#, "12"),
    doc("numbers", "round", "round(number[, digits])", "Rounded, halves away from zero; to whole numbers or so many decimals.", "round(2.345, 1)", "2.3"),
    doc("numbers", "floor", "floor(number)", "Rounded down.", "floor(2.7)", "2"),
    doc("numbers", "ceil", "ceil(number)", "Rounded up.", "ceil(2.1)", "3"),
    doc("numbers", "abs", "abs(number)", "Without its sign.", "abs(-3)", "3"),
    doc("numbers", "min", "min(a, b) or min(list)", "The smaller of two, or the smallest of a list without its nulls.", "min([3, 1, 2])", "1"),
    doc("numbers", "max", "max(a, b) or max(list)", "The larger of two, or the largest of a list without its nulls.", "max(2, 5)", "5"),
    doc("numbers", "clamp", "clamp(number, low, high)", "Kept between two bounds.", "clamp(12, 0, 10)", "10"),
    doc("numbers", "format_number", "format_number(number[, digits[, thousands, point]])", "With separators for thousands.", "format_number(1234567.891, 2)", r#""1,234,567.89""#),

    doc("dates", "now", "now()", "This moment, in the workflow's zone.", "now()", r#""2026-03-28T13:00:00+01:00""#),
    doc("dates", "now_ms", "now_ms()", "This moment in milliseconds since 1970.", "now_ms()", "1774699200000"),
    doc("dates", "today", "today()", "Today's date in the workflow's zone.", "today()", r#""2026-03-28""#),
    doc("dates", "parse_date", "parse_date(text[, format[, zone]])", "A moment from text; without a format, RFC 3339 or a plain date and time.", r#"parse_date("24.12.2026 18:30", "%d.%m.%Y %H:%M")"#, r#""2026-12-24T18:30:00+01:00""#),
    doc("dates", "format_date", "format_date(moment, format[, zone])", "A moment as text, by strftime codes.", r#"format_date(now(), "%d.%m.%Y %H:%M", "UTC")"#, r#""28.03.2026 12:00""#),
    doc("dates", "in_zone", "in_zone(moment, zone)", "The same moment on the clocks of another zone.", r#"in_zone(now(), "Asia/Kolkata")"#, r#""2026-03-28T17:30:00+05:30""#),
    doc("dates", "to_ms", "to_ms(moment)", "A moment as milliseconds since 1970.", r#"to_ms("2026-03-28T12:00:00Z")"#, "1774699200000"),
    doc("dates", "from_seconds", "from_seconds(seconds)", "A moment from seconds since 1970, as WhatsApp sends them, also as text.", r#"from_seconds("1774699200")"#, r#""2026-03-28T13:00:00+01:00""#),
    doc("dates", "add", "add(moment, span)", "Later by a span such as `2d 3h`, earlier by `-30m`.", r#"now().add("1d 2h")"#, r#""2026-03-29T15:00:00+02:00""#),
    doc("dates", "add_minutes", "add_minutes(moment, minutes)", "Later by so many minutes.", "now().add_minutes(-30)", r#""2026-03-28T12:30:00+01:00""#),
    doc("dates", "add_hours", "add_hours(moment, hours)", "Later by so many hours.", "now().add_hours(24)", r#""2026-03-29T14:00:00+02:00""#),
    doc("dates", "add_days", "add_days(moment, days)", "The same time of day so many days later, also across a clock change.", "now().add_days(1)", r#""2026-03-29T13:00:00+02:00""#),
    doc("dates", "add_weeks", "add_weeks(moment, weeks)", "So many weeks later.", "now().add_weeks(-1)", r#""2026-03-21T13:00:00+01:00""#),
    doc("dates", "add_months", "add_months(moment, months)", "So many months later, on the last day of a shorter month.", r#"add_months("2026-01-31T12:00:00Z", 1)"#, r#""2026-02-28T13:00:00+01:00""#),
    doc("dates", "add_years", "add_years(moment, years)", "So many years later.", "now().add_years(1)", r#""2027-03-28T13:00:00+02:00""#),
    doc("dates", "start_of_day", "start_of_day(moment[, zone])", "When that day began.", "start_of_day(now())", r#""2026-03-28T00:00:00+01:00""#),
    doc("dates", "diff", "diff(from, to, unit)", "Time between two moments in milliseconds, seconds, minutes, hours, days (of 24 hours), weeks, or whole months or years.", r#"diff("2026-03-28T09:00:00Z", now(), "hours")"#, "3"),
    doc("dates", "year", "year(moment[, zone])", "The year.", "year(now())", "2026"),
    doc("dates", "month", "month(moment[, zone])", "The month, 1 to 12.", "month(now())", "3"),
    doc("dates", "day", "day(moment[, zone])", "The day of the month.", "day(now())", "28"),
    doc("dates", "hour", "hour(moment[, zone])", "The hour, 0 to 23.", "hour(now())", "13"),
    doc("dates", "minute", "minute(moment[, zone])", "The minute.", "minute(now())", "0"),
    doc("dates", "weekday", "weekday(moment[, zone])", "The day of the week, Monday 1 to Sunday 7.", "weekday(now())", "6"),
    doc("dates", "weekday_name", "weekday_name(moment[, zone])", "The day of the week in English.", "weekday_name(now())", r#""Saturday""#),
    doc("dates", "is_weekend", "is_weekend(moment)", "Whether it is Saturday or Sunday.", "is_weekend(now())", "true"),
    doc("dates", "is_before", "is_before(a, b)", "Whether a is earlier than b.", r#"is_before(now(), "2027-01-01")"#, "true"),
    doc("dates", "is_after", "is_after(a, b)", "Whether a is later than b.", r#"is_after(now(), "2027-01-01")"#, "false"),
    doc("dates", "is_between_hours", "is_between_hours(moment, from, to[, zone])", "Whether the time of day is from `from` up to, not including, `to`; also across midnight.", r#"is_between_hours(now(), "09:00", "18:00")"#, "true"),

    doc("lists", "map", "map(list, function or path)", "What the function gives for each element.", "[1, 2].map(|x| x * 10)", "[10,20]"),
    doc("lists", "pluck", "pluck(list, path)", "One field of each element.", r#"json.items.pluck("title")"#, r#"["pen","book"]"#),
    doc("lists", "filter", "filter(list, function or path)", "Elements for which the function is true.", "[1, 5, 9].filter(|x| x > 3)", "[5,9]"),
    doc("lists", "where", "where(list, path, value)", "Elements whose field has this value.", r#"json.items.where("title", "pen")"#, r#"[{"price":5,"title":"pen"}]"#),
    doc("lists", "find", "find(list, function or path)", "The first element for which the function is true, or null.", "[1, 5, 9].find(|x| x > 3)", "5"),
    doc("lists", "any", "any(list, function or path)", "Whether the function is true for at least one element.", "[1, 5].any(|x| x > 3)", "true"),
    doc("lists", "all", "all(list, function or path)", "Whether the function is true for every element.", "[1, 5].all(|x| x > 3)", "false"),
    doc("lists", "sum", "sum(list)", "The sum of the numbers, nulls left out.", r#"json.items.pluck("price").sum()"#, "25"),
    doc("lists", "avg", "avg(list)", "The average of the numbers, nulls left out; null for an empty list.", "avg([1, 2])", "1.5"),
    doc("lists", "first", "first(list)", "The first element or null.", "first([1, 2])", "1"),
    doc("lists", "last", "last(list)", "The last element or null.", "last([1, 2])", "2"),
    doc("lists", "take", "take(list, count)", "The first elements.", "take([1, 2, 3], 2)", "[1,2]"),
    doc("lists", "skip", "skip(list, count)", "Without the first elements.", "skip([1, 2, 3], 2)", "[3]"),
    doc("lists", "slice", "slice(list, start[, end])", "Elements from a position up to, not including, another; negative counts from the end.", "slice([1, 2, 3, 4], 1, -1)", "[2,3]"),
    doc("lists", "join", "join(list[, separator])", "The elements as one text.", r#"["a", "b"].join(" & ")"#, r#""a & b""#),
    doc("lists", "unique", "unique(list)", "Without repetitions.", "unique([1, 2, 1])", "[1,2]"),
    doc("lists", "sort", "sort(list)", "Ordered; all numbers or all text, nulls last.", "sort([3, 1, 2])", "[1,2,3]"),
    doc("lists", "sort_by", "sort_by(list, function or path)", "Ordered by a field or by what the function gives.", r#"json.items.sort_by(|x| -x.price).pluck("title")"#, r#"["book","pen"]"#),
    doc("lists", "reverse", "reverse(list or text)", "In opposite order.", "reverse([1, 2])", "[2,1]"),
    doc("lists", "flatten", "flatten(list)", "Lists inside the list replaced by their elements, one level.", "flatten([[1], 2, [3]])", "[1,2,3]"),
    doc("lists", "chunk", "chunk(list, size)", "Split into lists of at most so many elements.", "chunk([1, 2, 3], 2)", "[[1,2],[3]]"),
    doc("lists", "compact", "compact(list)", "Without empty elements.", r#"compact([1, (), ""])"#, "[1]"),
    doc("lists", "group_by", "group_by(list, function or path)", "An object from each key to the list of its elements.", r#"["a", "bb", "c"].group_by(|t| t.len())"#, r#"{"1":["a","c"],"2":["bb"]}"#),
    doc("lists", "to_list", "to_list(range)", "A range as a list.", "(1..4).to_list()", "[1,2,3]"),

    doc("objects", "keys", "keys(object)", "The names of its entries.", "json.deep.keys()", r#"["b"]"#),
    doc("objects", "values", "values(object)", "The values of its entries.", "#{ a: 1, b: 2 }.values()", "[1,2]"),
    doc("objects", "get", "get(value, path[, default])", "The value at a path such as `lines.0.text`, or the default.", r#"json.get("items.0.title", "none")"#, r#""pen""#),
    doc("objects", "has", "has(value, path)", "Whether there is something other than null at a path.", r#"json.has("deep.b.c")"#, "true"),
    doc("objects", "pick", "pick(object, keys)", "Only these entries.", r#"pick(#{ a: 1, b: 2 }, ["a"])"#, r#"{"a":1}"#),
    doc("objects", "omit", "omit(object, keys)", "Without these entries.", r#"omit(#{ a: 1, b: 2 }, ["a"])"#, r#"{"b":2}"#),
    doc("objects", "merge", "merge(a, b)", "Both objects in one; b wins.", "merge(#{ a: 1, b: 1 }, #{ b: 2 })", r#"{"a":1,"b":2}"#),
    doc("objects", "set", "set(object, key, value)", "A copy with one entry changed or added.", r#"set(#{ a: 1 }, "b", 2)"#, r#"{"a":1,"b":2}"#),

    doc("phone", "phone_e164", "phone_e164(text[, country])", "A phone number in international form; an error when it is not valid.", r#"phone_e164("030 901820", "DE")"#, r#""+4930901820""#),
    doc("phone", "is_phone", "is_phone(text[, country])", "Whether it is a valid phone number.", r#"is_phone("12")"#, "false"),
    doc("phone", "phone_country", "phone_country(text[, country])", "The country of a phone number as two letters, or null.", r#"phone_country("+44 20 7946 0018")"#, r#""GB""#),

    doc("encoding", "to_json", "to_json(value)", "The value as JSON text.", "to_json(#{ a: 1 })", r#""{\"a\":1}""#),
    doc("encoding", "parse_json", "parse_json(text)", "The value of a JSON text.", r#"parse_json("[1, 2]")"#, "[1,2]"),
    doc("encoding", "base64_encode", "base64_encode(text)", "As base64.", r#"base64_encode("hi")"#, r#""aGk=""#),
    doc("encoding", "base64_decode", "base64_decode(text)", "Text from base64, in the standard or the URL alphabet.", r#"base64_decode("aGk")"#, r#""hi""#),
    doc("encoding", "url_encode", "url_encode(text)", "Safe inside any part of a URL.", r#"url_encode("a b&c")"#, r#""a%20b%26c""#),
    doc("encoding", "url_decode", "url_decode(text)", "Undoes url_encode; + is a space.", r#"url_decode("a%20b+c")"#, r#""a b c""#),
];

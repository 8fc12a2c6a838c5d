use super::*;
use crate::analysis::Features;
use crate::point::Colour;
use proptest::prelude::*;

const MOMENT: Moment = [0.0; FRAME_WORDS.len()];

/// The points of one closed stroke.
fn drawn(frame: &str, point: &str, points: usize) -> Vec<(f32, f32, Colour)> {
    let formula = Formula::compile(frame, point, &[]).unwrap_or_else(|error| panic!("{error}"));
    let mut player = Player::new(&formula);
    player.begin_frame(&Heard::nothing(), &MOMENT, &[]);
    let mut seen = Vec::new();
    player.stroke(&Heard::nothing(), (0, 1), points, true, |x, y, c| seen.push((x, y, c)));
    seen
}

/// The value of an expression of no variable, folded at compile time, and run.
fn value(expression: &str) -> f32 {
    let folded = drawn("", &format!("x = {expression}\ny = 0"), 1)[0].0;
    // `k` is 0 here, and keeps the compiler from working it out.
    let run = drawn("", &format!("zero = k\nx = {expression} + zero\ny = 0"), 1)[0].0;
    assert_eq!(folded, run, "{expression}");
    folded
}

fn error(frame: &str, point: &str) -> FormulaError {
    Formula::compile(frame, point, &["petals"]).expect_err("a mistake")
}

#[test]
fn arithmetic_follows_the_rules_of_school() {
    for (expression, wanted) in [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 4 - 3", 3.0),
        ("-2^2", -4.0),
        ("2^3^2", 512.0),
        ("2^-1", 0.5),
        ("7 % 3", 1.0),
        ("-1 % 3", 2.0),
        ("1 < 2 && 3 >= 3", 1.0),
        ("1 > 2 || !1", 0.0),
        ("1 == 1 ? 5 : 6", 5.0),
        ("0 ? 5 : 0 ? 6 : 7", 7.0),
        ("if(2 != 3, 4, 5)", 4.0),
        (".5e1", 5.0),
        ("clamp(7, 0, 2)", 2.0),
        ("mix(2, 4, 0.5)", 3.0),
        ("smoothstep(0, 2, 1)", 0.5),
        ("step(1, 0.5)", 0.0),
        ("sign(-3)", -1.0),
        ("mod(-0.5, 1)", 0.5),
        ("max(1, min(5, 3))", 3.0),
        ("tri(0.25)", 1.0),
        ("saw(0)", -1.0),
        ("square(0.75)", -1.0),
        ("sin(pi / 2)", 1.0),
        ("hypot(3, 4)", 5.0),
    ] {
        assert!((value(expression) - wanted).abs() < 1e-6, "{expression} is {}", value(expression));
    }
}

#[test]
fn what_is_not_a_number_is_0() {
    for expression in
        ["1 / 0", "0 / 0", "5 % 0", "sqrt(-1)", "log(0)", "log(-1)", "(-2)^0.5", "exp(999)"]
    {
        assert_eq!(value(expression), 0.0, "{expression}");
    }
    assert!(value("asin(2)") > 1.57 && value("tan(pi/2)").is_finite());
    // An overflow on the way out is caught at the end.
    assert_eq!(drawn("", "big = 1e38 + k\nx = big * big\ny = big * big - big * big", 1)[0].0, 0.0);
}

#[test]
fn every_point_has_its_place_along_the_stroke() {
    let circle = drawn("", "x = cos(a)\ny = sin(tau * i)", 100);
    assert_eq!(circle.len(), 100);
    for (k, (x, y, colour)) in circle.iter().enumerate() {
        let (sin, cos) = (k as f32 / 100.0 * std::f32::consts::TAU).sin_cos();
        assert!((x - cos).abs() < 1e-5 && (y - sin).abs() < 1e-5);
        assert_eq!(*colour, Colour::WHITE);
    }
}

#[test]
fn colours_are_hue_and_saturation_or_three_diodes() {
    let hue = drawn("", "x = 0; y = 0; hue = 1/3; light = 0.5", 1)[0].2;
    assert!((hue.g - 0.5).abs() < 1e-5 && hue.r < 1e-5);
    let diodes = drawn("", "x = 0; y = 0; red = 2; blue = 0.25", 1)[0].2;
    assert_eq!(diodes, Colour::rgb(1.0, 0.0, 0.25));
    assert!(error("", "x = 0; y = 0; hue = 0; red = 1").message.contains("not both"));
}

#[test]
fn a_variable_of_the_frame_begins_where_the_last_frame_left_it() {
    let formula =
        Formula::compile("turn = turn + 0.25; twice = 2 * turn", "x = turn; y = twice", &[]);
    let mut player = Player::new(&formula.unwrap());
    let mut seen = Vec::new();
    for _ in 0..3 {
        player.begin_frame(&Heard::nothing(), &MOMENT, &[]);
        player.stroke(&Heard::nothing(), (0, 1), 1, true, |x, y, _| seen.push((x, y)));
    }
    assert_eq!(seen, [(0.25, 0.5), (0.5, 1.0), (0.75, 1.5)]);
}

#[test]
fn a_variable_recovers_from_what_is_not_a_number() {
    let formula = Formula::compile("v = (v + level) * 1e30", "x = v; y = 0", &[]).unwrap();
    let mut player = Player::new(&formula);
    let mut moment = MOMENT;
    moment[FRAME_WORDS.iter().position(|(word, _)| *word == "level").unwrap()] = 1.0;
    for _ in 0..5 {
        player.begin_frame(&Heard::nothing(), &moment, &[]);
        player.stroke(&Heard::nothing(), (0, 1), 1, true, |x, _, _| assert!(x.is_finite()));
    }
}

#[test]
fn the_sound_is_heard_at_every_place() {
    let formula = Formula::compile("", "x = wave(i); y = spec(i)", &[]).unwrap();
    let mut features = Features::default();
    features.waveform[255] = 0.5;
    features.spectrum[0] = 0.75;
    let heard = Heard { features: &features, seed: 0 };
    let mut player = Player::new(&formula);
    player.begin_frame(&heard, &MOMENT, &[]);
    let mut seen = Vec::new();
    player.stroke(&heard, (0, 1), 3, false, |x, y, _| seen.push((x, y)));
    assert_eq!(seen, [(0.0, 0.75), (0.0, 0.0), (0.5, 0.0)]);
}

#[test]
fn parameters_and_words_are_read_by_name() {
    let formula = Formula::compile("p = petals * 2", "x = p + n; y = s + u", &["petals"]).unwrap();
    let mut player = Player::new(&formula);
    let mut moment = MOMENT;
    moment[FRAME_WORDS.iter().position(|(word, _)| *word == "n").unwrap()] = 7.0;
    player.begin_frame(&Heard::nothing(), &moment, &[4.0]);
    player.stroke(&Heard::nothing(), (2, 3), 1, true, |x, y, _| assert_eq!((x, y), (15.0, 3.0)));
}

#[test]
fn a_line_goes_on_after_an_operator_and_within_parentheses() {
    let point = "x = 1 +\n  2 # a comment\ny = max(\n 3,\n 4)";
    assert_eq!(drawn("", point, 1)[0].0, 3.0);
    assert_eq!(drawn("", point, 1)[0].1, 4.0);
    assert_eq!(drawn("", "x = 1; x += 2; x *= 3; y = x; y /= 2; y -= 1", 1)[0].1, 3.5);
}

#[test]
fn a_mistake_has_its_place_and_a_cure() {
    for (frame, point, place, words) in [
        ("", "x = 0\ny = sni(a)", (2, 5), "did you mean `sin`?"),
        ("", "x = 0\ny = lvel", (2, 5), "did you mean `level`?"),
        ("", "x = 0\ny = petal", (2, 5), "did you mean `petals`?"),
        ("", "x = sin(1, 2)\ny = 0", (1, 5), "takes 1 value, here are 2"),
        ("", "x = atan2()\ny = 0", (1, 5), "takes 2 values, here are 0"),
        ("", "x = (1 + 2\ny = 0", (2, 1), "`)` is missing"),
        ("", "x = 1 ? 2\ny = 0", (1, 10), "`:` is missing"),
        ("", "x = 1 2\ny = 0", (1, 7), "should end here"),
        ("", "x = \ny = 0", (2, 1), "before it is set"),
        ("", "x = 2 *", (1, 8), "ends where a value should stand"),
        ("", "x = * 2\ny = 0", (1, 5), "a value is missing before `*`"),
        ("", "x = 1 $ 2\ny = 0", (1, 7), "`$` has no meaning"),
        ("", "x = 1.2.3\ny = 0", (1, 8), "should end here"),
        ("", "x = .\ny = 0", (1, 5), "`.` is no number"),
        ("", "3 = x", (1, 1), "begins with a name"),
        ("", "x 3", (1, 3), "`=` is missing"),
        ("", "t = 3\nx = 0\ny = 0", (1, 1), "word of the language"),
        ("", "sin = 3\nx = 0\ny = 0", (1, 1), "word of the language"),
        ("", "petals = 3\nx = 0\ny = 0", (1, 1), "a parameter"),
        ("", "x = 0", (1, 6), "`y` is never set"),
        ("", "y = x\nx = 0", (1, 5), "before it is set"),
        ("x = 1", "x = 0\ny = 0", (1, 1), "set in `point`"),
        ("v = i", "x = 0\ny = 0", (1, 5), "use it in `point`"),
        ("v = 1", "v = 2\nx = 0\ny = 0", (1, 1), "set in `frame`"),
    ] {
        let error = error(frame, point);
        assert!(error.message.contains(words), "{frame} | {point}: {error}");
        assert_eq!((error.line, error.column), place, "{frame} | {point}: {error}");
        let in_frame = !frame.is_empty() && !point.starts_with('v');
        let part = if in_frame { Part::Frame } else { Part::Point };
        assert_eq!(error.part, part, "{error}");
    }
}

#[test]
fn work_depth_and_length_are_bounded() {
    let long = format!("x = 0\ny = {}1", "noise(a, k + 1) * ".repeat(3));
    assert!(Formula::compile("", &long, &[]).is_ok());
    let costly: String =
        (0..60).fold(String::new(), |text, k| text + &format!("v{k} = noise(a, {k} + k)\n"));
    assert!(error("", &format!("{costly}x = 0\ny = 0")).message.contains("costs more than"));
    let deep = format!("x = {}1{}\ny = 0", "(".repeat(500), ")".repeat(500));
    assert!(error("", &deep).message.contains("levels deep"));
    let minus = format!("x = {}1\ny = 0", "-".repeat(5_000));
    assert!(error("", &minus).message.contains("levels deep"));
    assert!(error("", &" ".repeat(MAX_TEXT_BYTES + 1)).message.contains("too long"));
    let many: String =
        (0..=MAX_VARIABLES).fold(String::new(), |text, k| text + &format!("v{k} = {k}\n"));
    assert!(error(&many, "x = 0; y = 0").message.contains("names are set"));
}

#[test]
fn an_expression_written_twice_is_worked_out_once() {
    let once = Formula::compile("", "x = sin(a * 3) * 2\ny = sin(a * 3) * 2", &[]).unwrap();
    let text = format!("{once:?}");
    assert_eq!(text.matches("op: Sin").count(), 1, "{text}");
}

#[test]
fn names_of_parameters_are_free_words() {
    assert!(Formula::is_free_name("petals") && Formula::is_free_name("my_2"));
    for name in ["", "x", "t", "sin", "pi", "two words", "2x", "a", "ü", "x\n"] {
        assert!(!Formula::is_free_name(name), "{name:?}");
    }
}

/// Programs made of the language's own words: most of them compile.
fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (-1e6_f32..1e6).prop_map(|number| format!("({number})")),
        prop::sample::select(vec![
            "t", "i", "a", "k", "s", "u", "n", "level", "pi", "petals", "1e38"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let signs = vec!["+", "-", "*", "/", "%", "^", "<", ">=", "==", "&&"];
        prop_oneof![
            (inner.clone(), prop::sample::select(signs), inner.clone())
                .prop_map(|(a, sign, b)| format!("({a} {sign} {b})")),
            (0..FUNCTIONS.len(), prop::collection::vec(inner, 3)).prop_map(|(index, values)| {
                let function = &FUNCTIONS[index];
                format!("{}({})", function.name, values[..function.arguments].join(", "))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_formula_draws_what_is_not_a_number(x in any_expression(), y in any_expression(), v in any_expression()) {
        let frame = if v.contains(['i', 'a', 'k', 's', 'u']) { String::new() } else { format!("v = v + {v}") };
        let read = if frame.is_empty() { "" } else { " + v" };
        let point = format!("x = {x}{read}\ny = {y}\nhue = x * y\nlight = y");
        if let Ok(formula) = Formula::compile(&frame, &point, &["petals"]) {
            let mut player = Player::new(&formula);
            let mut twin = Player::new(&formula);
            for _ in 0..3 {
                let (mut first, mut second) = (Vec::new(), Vec::new());
                for (player, seen) in [(&mut player, &mut first), (&mut twin, &mut second)] {
                    player.begin_frame(&Heard::nothing(), &[0.3; FRAME_WORDS.len()], &[5.0]);
                    player.stroke(&Heard::nothing(), (0, 1), 40, true, |x, y, c| seen.push((x, y, c)));
                }
                prop_assert_eq!(first.len(), 40);
                for (x, y, colour) in &first {
                    prop_assert!(x.is_finite() && y.is_finite());
                    let Colour { r, g, b } = *colour;
                    prop_assert!([r, g, b].iter().all(|level| (0.0..=1.0).contains(level)));
                }
                prop_assert_eq!(first, second);
            }
        }
    }

    #[test]
    fn no_text_makes_the_compiler_panic(frame in ".{0,200}", point in "[a-z0-9=+*/^().,;?: \n#<>!&|-]{0,300}") {
        drop(Formula::compile(&frame, &point, &["petals"]));
    }
}

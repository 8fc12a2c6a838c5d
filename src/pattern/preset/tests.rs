use super::*;
use crate::pattern::catalog;

const FULL: &str = r##"version = 1
name = "Full"
description = "Every key there is."
generator = "circle"
seed = 7

[params]
radius = 0.3
lobes = 4

[[modulate]]
param = "radius"
source = "bass"
depth = 0.3
curve = "square"
smooth_ms = 40

[[modulate]]
param = "lobes"
source = "lfo"
wave = "triangle"
every_beats = 8
depth = -0.2

[colour]
colours = ["#ff0000", "#00ff00", "#0000ff"]
blend = "steps"
run = "angle"
repeats = 2
drift_hz = 0.1
drift_per_bar = 0.25
hue = 0.1
saturation = 0.9

[[colour.modulate]]
param = "hue"
source = "tone"
depth = 0.5
smooth_ms = 100

[look]
brightness = 0.8
scale = 0.9
rotation = 0.1
spin_hz = 0.05
spin_per_bar = -0.25

[[look.modulate]]
param = "brightness"
source = "beat"
depth = 0.2
"##;

fn error_of(text: &str) -> String {
    Preset::parse(text).unwrap_err().to_string()
}

/// `FULL` with one line replaced, and the number of that line.
fn with(line: &str, replacement: &str) -> (String, usize) {
    let number = FULL.lines().position(|l| l == line).expect("the line is there") + 1;
    (FULL.replacen(line, replacement, 1), number)
}

#[test]
fn a_preset_with_every_key_round_trips() {
    let preset = Preset::parse(FULL).unwrap();
    let text = preset.to_toml().unwrap();
    assert_eq!(Preset::parse(&text).unwrap(), preset);
    assert!(text.contains("radius = 0.3\n"), "numbers stay short: {text}");
    assert_eq!(Preset::parse(&text).unwrap().to_toml().unwrap(), text);
}

#[test]
fn the_shortest_preset_has_every_default() {
    let preset = Preset::parse("version = 1\nname = \"A\"\ngenerator = \"circle\"").unwrap();
    let generator = catalog::find("circle").unwrap();
    assert_eq!(preset, Preset::plain("A", generator));
    let defaults: Vec<f32> = generator.params.iter().map(|spec| spec.default).collect();
    assert_eq!(preset.values(generator), defaults);
    assert_eq!(Preset::parse(&preset.to_toml().unwrap()).unwrap(), preset);
}

#[test]
fn an_unknown_version_is_said_before_anything_else() {
    let error = Preset::parse("version = 2\nname = 7\nfuture = true").unwrap_err();
    assert_eq!(error, PresetError::UnknownVersion { found: 2 });
    assert!(error.to_string().contains("version 2"));
    assert_eq!(Preset::parse("name = \"x\""), Err(PresetError::NoVersion));
}

#[test]
fn a_slip_is_answered_with_its_place_and_the_right_word() {
    for (line, replacement, right) in [
        ("radius = 0.3", "raduis = 0.3", "radius"),
        ("generator = \"circle\"", "generator = \"circel\"", "circle"),
        ("source = \"bass\"", "source = \"base\"", "bass"),
        ("param = \"lobes\"", "param = \"lobs\"", "lobes"),
        ("curve = \"square\"", "curve = \"sqare\"", "square"),
        ("wave = \"triangle\"", "wave = \"tringle\"", "triangle"),
        ("run = \"angle\"", "run = \"angel\"", "angle"),
        ("blend = \"steps\"", "blend = \"step\"", "steps"),
        ("spin_hz = 0.05", "spin_hs = 0.05", "spin_hz"),
        ("drift_hz = 0.1", "drift_hx = 0.1", "drift_hz"),
        ("param = \"hue\"", "param = \"heu\"", "hue"),
        ("param = \"brightness\"", "param = \"brightnes\"", "brightness"),
        ("description = \"Every key there is.\"", "descripton = \"x\"", "description"),
    ] {
        let (text, number) = with(line, replacement);
        let error = error_of(&text);
        assert!(error.contains(&format!("did you mean `{right}`?")), "{replacement}: {error}");
        assert!(error.contains(&format!("line {number}, column ")), "{replacement}: {error}");
    }
}

#[test]
fn a_word_that_is_near_to_none_is_answered_with_the_list_once() {
    let (text, _) = with("source = \"bass\"", "source = \"volume\"");
    let error = error_of(&text);
    assert!(error.contains("`volume` is no word for this; there are level, bass,"), "{error}");
    assert_eq!(error.matches("treble").count(), 1, "{error}");
    let (text, _) = with("name = \"Full\"", "");
    assert!(error_of(&text).ends_with("the key `name` is missing here; add it"));
}

#[test]
fn values_out_of_range_are_named_with_their_range_and_line() {
    for (line, replacement) in [
        ("radius = 0.3", "radius = 3"),
        ("radius = 0.3", "radius = nan"),
        ("radius = 0.3", "radius = -inf"),
        ("depth = 0.3", "depth = 1.5"),
        ("smooth_ms = 40", "smooth_ms = -1"),
        ("every_beats = 8", "every_beats = 0"),
        ("repeats = 2", "repeats = 0"),
        ("scale = 0.9", "scale = 2"),
        ("brightness = 0.8", "brightness = 1.01"),
        ("saturation = 0.9", "saturation = -0.1"),
    ] {
        let (text, number) = with(line, replacement);
        let error = error_of(&text);
        assert!(error.contains("must lie within"), "{replacement}: {error}");
        assert!(error.contains(&format!("line {number},")), "{replacement}: {error}");
    }
}

#[test]
fn wrong_kinds_and_broken_toml_have_a_place() {
    for (line, replacement) in [
        ("name = \"Full\"", "name = 7"),
        ("radius = 0.3", "radius = \"big\""),
        ("seed = 7", "seed = -1"),
        ("seed = 7", "seed = "),
        ("colours = [\"#ff0000\", \"#00ff00\", \"#0000ff\"]", "colours = [\"red\"]"),
        ("colours = [\"#ff0000\", \"#00ff00\", \"#0000ff\"]", "colours = []"),
    ] {
        let (text, number) = with(line, replacement);
        let error = error_of(&text);
        assert!(error.contains(&format!("line {number},")), "{replacement}: {error}");
        assert!(!error.contains('\n'), "one sentence: {error}");
    }
}

#[test]
fn an_oscillator_needs_one_rate_and_others_none() {
    let (text, _) = with("every_beats = 8", "");
    assert!(error_of(&text).contains("needs one of `rate_hz` and `every_beats`"));
    let (text, _) = with("every_beats = 8", "every_beats = 8\nrate_hz = 1");
    assert!(error_of(&text).contains("needs one of"));
    let (text, _) = with("curve = \"square\"", "rate_hz = 1");
    assert!(error_of(&text).contains("lfo"), "{}", error_of(&text));
}

#[test]
fn the_look_follows_the_moment_and_takes_no_smoothing() {
    let (text, _) = with("depth = 0.2", "depth = 0.2\nsmooth_ms = 50");
    assert!(error_of(&text).contains("no place in [look]"));
}

#[test]
fn names_are_one_line_of_text() {
    for name in ["", " x", "x\\ny", &"x".repeat(61)] {
        let text = format!("version = 1\nname = \"{name}\"\ngenerator = \"circle\"");
        assert!(Preset::parse(&text).is_err(), "{name:?}");
    }
}

#[test]
fn too_long_a_text_is_refused_unread() {
    let error = Preset::parse(&"x".repeat(MAX_PRESET_BYTES + 1)).unwrap_err();
    assert!(matches!(error, PresetError::TooLong { .. }));
}

#[test]
fn too_many_rows_are_refused() {
    let row = "[[modulate]]\nparam = \"radius\"\nsource = \"bass\"\ndepth = 0.1\n";
    let head = "version = 1\nname = \"A\"\ngenerator = \"circle\"\n";
    assert!(Preset::parse(&format!("{head}{}", row.repeat(MAX_MODULATIONS))).is_ok());
    assert!(error_of(&format!("{head}{}", row.repeat(MAX_MODULATIONS + 1))).contains("at most"));
}

#[test]
fn a_wrong_value_made_in_memory_is_found_without_a_place() {
    let mut preset = Preset::parse(FULL).unwrap();
    preset.modulate[1].depth = 9.0;
    let error = preset.check().unwrap_err();
    assert!(matches!(error, PresetError::Invalid { place: None, .. }));
    assert!(error.to_string().starts_with("modulate row 2: "), "{error}");
    assert!(preset.to_toml().is_err());
}

const RICH: &str = r#"version = 1
name = "Rich"
generator = "formula"

[params]
points = 100
petals = 4

[formula]
closed = false
frame = """
turn += dt
swell = 1 + bass
"""
point = '''
x = cos(petals * a + turn) * swell
y = sin(a)'''

[formula.params]
petals = { default = 5, min = 1, max = 12, unit = "", help = "Petals." }

[[modulate]]
param = "petals"
source = "steps"
steps = [0.0, 1.0, -0.5]
every_beats = 3
phase = 0.25
depth = 0.5

[[modulate]]
param = "speed"
source = "walk"
rate_hz = 0.5
seed = 3
depth = 0.2

[[effects]]
effect = "kaleidoscope"
params = { sides = 5 }

[[effects.modulate]]
param = "offset"
source = "envelope"
trigger = "bar"
attack_ms = 20
decay_ms = 300
depth = 0.3

[[layers]]
generator = "text"
mode = "morph"
amount = 0.25
text = "HI"

[layers.params]
size = 0.4

[[layers.effects]]
effect = "shift"
params = { x = 0.2 }

[[layers.modulate]]
param = "amount"
source = "bass"
depth = 0.5
"#;

#[test]
fn formulas_effects_and_layers_round_trip() {
    let preset = Preset::parse(RICH).unwrap();
    let text = preset.to_toml().unwrap();
    assert_eq!(Preset::parse(&text).unwrap(), preset, "{text}");
    let generator = catalog::find("formula").unwrap();
    let specs = preset.specs(generator);
    let petals = specs.iter().find(|spec| spec.name == "petals").unwrap();
    assert_eq!((petals.min, petals.max, petals.default), (1.0, 12.0, 5.0));
    assert_eq!(preset.values(generator).last(), Some(&4.0));
}

#[test]
fn a_slip_anywhere_has_its_line_and_the_right_word() {
    for (line, replacement, words) in [
        ("swell = 1 + bass", "swell = 1 + bas", "did you mean `bass`?"),
        ("x = cos(petals * a + turn) * swell", "x = cos(petal * a)", "did you mean `petals`?"),
        ("y = sin(a)'''", "y = sni(a)'''", "did you mean `sin`?"),
        ("effect = \"kaleidoscope\"", "effect = \"kaleidoskope\"", "did you mean `kaleidoscope`?"),
        ("params = { sides = 5 }", "params = { side = 5 }", "did you mean `sides`?"),
        ("params = { sides = 5 }", "params = { sides = 50 }", "must lie within 2 to 12"),
        ("param = \"offset\"", "param = \"ofset\"", "did you mean `offset`?"),
        ("trigger = \"bar\"", "trigger = \"bra\"", "did you mean `bar`?"),
        ("mode = \"morph\"", "mode = \"morf\"", "did you mean `morph`?"),
        ("amount = 0.25", "amount = 2", "must lie within 0 to 1"),
        ("generator = \"text\"", "generator = \"txt\"", "did you mean `text`?"),
        ("text = \"HI\"", "txt = \"HI\"", "did you mean `text`?"),
        ("size = 0.4", "size = 4", "must lie within"),
        ("param = \"amount\"", "param = \"amuont\"", "did you mean `amount`?"),
        ("steps = [0.0, 1.0, -0.5]", "steps = [0.0, 3.0]", "must lie within -1 to 1"),
        ("seed = 3", "attack_ms = 3", "belongs to source = \"envelope\" only"),
        ("rate_hz = 0.5", "phase = 0.5", "needs one of `rate_hz` and `every_beats`"),
        (
            "petals = { default = 5, min = 1, max = 12, unit = \"\", help = \"Petals.\" }",
            "sin = { default = 5 }",
            "cannot be the name",
        ),
        (
            "petals = { default = 5, min = 1, max = 12, unit = \"\", help = \"Petals.\" }",
            "petals = { default = 5, min = 9, max = 3 }",
            "must be below its `max`",
        ),
    ] {
        let number = RICH.lines().position(|l| l == line).expect("the line is there") + 1;
        let error = error_of(&RICH.replacen(line, replacement, 1));
        assert!(error.contains(words), "{replacement}: {error}");
        // A rate that is missing is told where the source stands.
        let at = if replacement == "phase = 0.5" { number - 1 } else { number };
        assert!(
            error.contains(&format!("line {at}, column ")),
            "{replacement}: line {at}: {error}"
        );
    }
}

#[test]
fn a_slip_in_a_formula_has_its_column_in_the_file() {
    let error = error_of(&RICH.replacen("swell = 1 + bass", "swell = 1 + bas", 1));
    let line = RICH.lines().position(|l| l.starts_with("swell")).unwrap() + 1;
    assert!(error.starts_with(&format!("line {line}, column 13: ")), "{error}");
    let short = "version = 1\nname = \"A\"\ngenerator = \"formula\"\nformula = { point = \"x = 1; y = z\" }";
    assert!(error_of(short).starts_with("line 4, column 34: "), "{}", error_of(short));
}

#[test]
fn what_belongs_to_another_generator_is_refused() {
    let circle = |more: &str| format!("version = 1\nname = \"A\"\ngenerator = \"circle\"\n{more}");
    assert!(error_of(&circle("text = \"A\"")).contains("belongs to generator = \"text\""));
    assert!(
        error_of(&circle("[formula]\npoint = \"x=0;y=0\""))
            .contains("belongs to generator = \"formula\"")
    );
    let effects = "[[effects]]\neffect = \"twist\"\n".repeat(MAX_EFFECTS + 1);
    assert!(error_of(&circle(&effects)).contains("at most 8 effects"));
    let layers = "[[layers]]\ngenerator = \"star\"\n".repeat(MAX_LAYERS + 1);
    assert!(error_of(&circle(&layers)).contains("at most 4 layers"));
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_panics(text in ".{0,400}") {
            drop(Preset::parse(&text));
        }

        #[test]
        fn a_damaged_preset_never_panics(rich in any::<bool>(), at in 0..1_000_usize, byte in any::<char>(), len in 0_usize..30) {
            let mut text: Vec<char> = if rich { RICH } else { FULL }.chars().collect();
            let end = (at + len).min(text.len());
            text.splice(at.min(end)..end, [byte]);
            if let Ok(preset) = Preset::parse(&text.into_iter().collect::<String>()) {
                prop_assert!(preset.check().is_ok());
            }
        }
    }
}

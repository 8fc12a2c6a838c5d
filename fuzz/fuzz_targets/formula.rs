//! Any two texts are a formula or refused with a place; what is a formula draws numbers only.
#![no_main]

use galvo::pattern::formula::{FRAME_WORDS, Formula, Heard, Player};

libfuzzer_sys::fuzz_target!(|texts: (&str, &str)| {
    let (frame, point) = texts;
    match Formula::compile(frame, point, &["amount", "petals"]) {
        Err(error) => {
            assert!(error.line > 0 && error.column > 0 && !error.message.is_empty());
        }
        Ok(formula) => {
            let mut player = Player::new(&formula);
            for _ in 0..2 {
                player.begin_frame(&Heard::nothing(), &[0.7; FRAME_WORDS.len()], &[1e9, -3.0]);
                player.stroke(&Heard::nothing(), (1, 3), 40, false, |x, y, colour| {
                    assert!(x.is_finite() && y.is_finite());
                    assert!((0.0..=1.0).contains(&colour.r) && (0.0..=1.0).contains(&colour.g));
                });
            }
        }
    }
});

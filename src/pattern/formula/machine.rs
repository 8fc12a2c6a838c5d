//! A flat list of operations over registers, each an array of values.

use super::op::Op;
use super::program::Heard;

/// As many values as are worked on at once.
pub(super) type Lanes<const L: usize> = [f32; L];

/// One operation: `to = op(a, b, c)`, all of them places of registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) op: Op,
    pub(super) to: u16,
    pub(super) from: [u16; 3],
}

/// Operations and the registers they need: first the inputs, then the constants, then those of the steps.
#[derive(Clone, Debug, Default)]
pub(super) struct Code {
    pub(super) inputs: usize,
    pub(super) constants: Vec<f32>,
    pub(super) steps: Vec<Step>,
    pub(super) registers: usize,
    /// Price of running it once, in simple operations.
    pub(super) cost: u32,
}

/// Code with its registers, for `L` values at once.
#[derive(Clone, Debug)]
pub(super) struct Machine<const L: usize> {
    code: Code,
    registers: Vec<Lanes<L>>,
}

impl<const L: usize> Machine<L> {
    pub(super) fn new(code: &Code) -> Self {
        let mut registers = vec![[0.0; L]; code.registers];
        for (place, &constant) in code.constants.iter().enumerate() {
            registers[code.inputs + place] = [constant; L];
        }
        Self { code: code.clone(), registers }
    }

    /// An input or output.
    pub(super) fn register(&mut self, place: usize) -> &mut Lanes<L> {
        &mut self.registers[place]
    }

    /// The same value in every lane of an input.
    pub(super) fn set(&mut self, place: usize, value: f32) {
        self.registers[place] = [value; L];
    }

    /// Runs every operation once.
    pub(super) fn run(&mut self, heard: &Heard<'_>) {
        let registers = &mut self.registers[..];
        for step in &self.code.steps {
            let [a, b, c] = step.from.map(usize::from);
            registers[usize::from(step.to)] =
                step.op.apply(&registers[a], &registers[b], &registers[c], heard);
        }
    }
}

#[inline]
pub(super) fn map1<const L: usize>(a: &Lanes<L>, f: impl Fn(f32) -> f32) -> Lanes<L> {
    let mut out = [0.0; L];
    for lane in 0..L {
        out[lane] = f(a[lane]);
    }
    out
}

#[inline]
pub(super) fn map2<const L: usize>(
    a: &Lanes<L>,
    b: &Lanes<L>,
    f: impl Fn(f32, f32) -> f32,
) -> Lanes<L> {
    let mut out = [0.0; L];
    for lane in 0..L {
        out[lane] = f(a[lane], b[lane]);
    }
    out
}

#[inline]
pub(super) fn map3<const L: usize>(
    a: &Lanes<L>,
    b: &Lanes<L>,
    c: &Lanes<L>,
    f: impl Fn(f32, f32, f32) -> f32,
) -> Lanes<L> {
    let mut out = [0.0; L];
    for lane in 0..L {
        out[lane] = f(a[lane], b[lane], c[lane]);
    }
    out
}

//! From words to operations, in one pass: every name, number of arguments and price is checked here.

use super::lexer::{Placed, Token, words};
use super::machine::{Code, Step};
use super::op::{self, Op};
use super::program::Heard;
use super::{MAX_COST, MAX_TEXT_BYTES, Slip};
use crate::pattern::preset::did_you_mean;

/// Names of numbers.
pub const CONSTANTS: &[(&str, f32)] =
    &[("pi", std::f32::consts::PI), ("tau", std::f32::consts::TAU)];
/// Parentheses within parentheses.
const MAX_DEPTH: usize = 48;

/// What an expression is while it is compiled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    Constant(f32),
    Input(usize),
    /// The result of a step.
    Step(usize),
}

/// The names a text may use and set.
pub(super) struct Names<'a> {
    /// What can be read from the start, in the order of the inputs.
    pub(super) inputs: Vec<&'a str>,
    /// What may not be set, with the reason.
    pub(super) taken: &'a dyn Fn(&str) -> Option<String>,
    /// Names known elsewhere: why this one cannot be read here.
    pub(super) foreign: &'a dyn Fn(&str) -> Option<String>,
}

/// A compiled text: its code, and where the last value of every name that was set stands.
#[derive(Debug)]
pub(super) struct Compiled<'a> {
    pub(super) code: Code,
    pub(super) set: Vec<(&'a str, usize)>,
}

/// The names that a text sets, each once, with its place.
pub(super) fn names_set(text: &str) -> Result<Vec<(usize, &str)>, Slip> {
    let words = words(text)?;
    let mut names: Vec<(usize, &str)> = Vec::new();
    for pair in words.windows(2) {
        if let [(at, Token::Name(name)), (_, Token::Sign("=" | "+=" | "-=" | "*=" | "/="))] = pair
            && !names.iter().any(|(_, known)| known == name)
        {
            names.push((*at, name));
        }
    }
    Ok(names)
}

/// Compiles a text.
pub(super) fn compile<'a>(text: &'a str, names: &Names<'_>) -> Result<Compiled<'a>, Slip> {
    if text.len() > MAX_TEXT_BYTES {
        let message =
            format!("a text of {} bytes is too long; the most is {MAX_TEXT_BYTES}", text.len());
        return Err(Slip::new(0, message));
    }
    let mut compiler = Compiler {
        words: words(text)?,
        next: 0,
        depth: 0,
        cost: 0,
        names,
        steps: Vec::new(),
        set: Vec::new(),
    };
    compiler.statements()?;
    Ok(compiler.finish())
}

struct Compiler<'a, 'n> {
    words: Vec<Placed<'a>>,
    next: usize,
    depth: usize,
    cost: u32,
    names: &'n Names<'n>,
    steps: Vec<(Op, [Value; 3])>,
    set: Vec<(&'a str, Value)>,
}

impl<'a> Compiler<'a, '_> {
    fn peek(&self) -> &Token<'a> {
        // The last word is an `End` and is never passed.
        &self.words[self.next.min(self.words.len() - 1)].1
    }

    fn place(&self) -> usize {
        self.words[self.next.min(self.words.len() - 1)].0
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Token::Sign(found) if *found == sign);
        self.next += usize::from(is);
        is
    }

    fn must_take(&mut self, sign: &str, opened: &str) -> Result<(), Slip> {
        if self.takes(sign) {
            return Ok(());
        }
        let message = format!("`{sign}` is missing here, after {opened}");
        Err(Slip::new(self.place(), message))
    }

    fn statements(&mut self) -> Result<(), Slip> {
        while self.next < self.words.len() {
            if *self.peek() == Token::End {
                self.next += 1;
                continue;
            }
            self.statement()?;
            if *self.peek() != Token::End {
                let message =
                    "the statement should end here: begin a new line, or write an operator";
                return Err(Slip::new(self.place(), message));
            }
        }
        Ok(())
    }

    fn statement(&mut self) -> Result<(), Slip> {
        let at = self.place();
        let Token::Name(name) = *self.peek() else {
            return Err(Slip::new(at, "a statement begins with a name: write `name = value`"));
        };
        self.next += 1;
        let joined = match self.peek() {
            Token::Sign("=") => None,
            Token::Sign("+=") => Some(Op::Add),
            Token::Sign("-=") => Some(Op::Sub),
            Token::Sign("*=") => Some(Op::Mul),
            Token::Sign("/=") => Some(Op::Div),
            _ => {
                let message = format!("write `{name} = …`: here `=` is missing");
                return Err(Slip::new(self.place(), message));
            }
        };
        if let Some(reason) = self.why_taken(name) {
            return Err(Slip::new(at, reason));
        }
        self.next += 1;
        let mut value = self.expression(0)?;
        if let Some(op) = joined {
            let before = self.value_of(name, at)?;
            value = self.emit(op, [before, value, value], 1, at)?;
        }
        match self.set.iter_mut().find(|(known, _)| *known == name) {
            Some(place) => place.1 = value,
            None => self.set.push((name, value)),
        }
        Ok(())
    }

    fn why_taken(&self, name: &str) -> Option<String> {
        if CONSTANTS.iter().any(|(known, _)| *known == name)
            || op::FUNCTIONS.iter().any(|function| function.name == name)
        {
            return Some(format!("`{name}` is a word of the language; choose another name"));
        }
        (self.names.taken)(name)
    }

    fn value_of(&self, name: &str, at: usize) -> Result<Value, Slip> {
        if let Some((_, value)) = self.set.iter().find(|(known, _)| *known == name) {
            return Ok(*value);
        }
        if let Some((_, value)) = CONSTANTS.iter().find(|(known, _)| *known == name) {
            return Ok(Value::Constant(*value));
        }
        if let Some(place) = self.names.inputs.iter().position(|known| *known == name) {
            return Ok(Value::Input(place));
        }
        if let Some(reason) = (self.names.foreign)(name) {
            return Err(Slip::new(at, reason));
        }
        let known = self.names.inputs.iter().copied();
        let known: Vec<_> = known.chain(self.set.iter().map(|(name, _)| *name)).collect();
        let hint = did_you_mean(name, known.iter().copied());
        Err(Slip::new(at, format!("nothing is named `{name}`{hint}")))
    }

    /// An expression of operators that bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Value, Slip> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels deep; give a part of it a name");
            return Err(Slip::new(self.place(), message));
        }
        let mut left = self.operand()?;
        loop {
            let at = self.place();
            let Token::Sign(sign) = *self.peek() else { break };
            if sign == "?" && least == 0 {
                self.next += 1;
                let yes = self.expression(0)?;
                self.must_take(":", "`?` and its value")?;
                let no = self.expression(0)?;
                left = self.emit(Op::Select, [left, yes, no], 1, at)?;
                continue;
            }
            // Strength on the left, strength asked of what follows, operation, operands swapped.
            let (strength, after, op, swapped) = match sign {
                "||" => (1, 2, Op::Or, false),
                "&&" => (2, 3, Op::And, false),
                "==" => (3, 4, Op::Equal, false),
                "!=" => (3, 4, Op::NotEqual, false),
                "<" => (4, 5, Op::Less, false),
                ">" => (4, 5, Op::Less, true),
                "<=" => (4, 5, Op::LessEqual, false),
                ">=" => (4, 5, Op::LessEqual, true),
                "+" => (5, 6, Op::Add, false),
                "-" => (5, 6, Op::Sub, false),
                "*" => (6, 7, Op::Mul, false),
                "/" => (6, 7, Op::Div, false),
                "%" => (6, 7, Op::Rem, false),
                // Binds tighter than the sign before it, and to the right: −x^2^3 is −(x^(2^3)).
                "^" => (9, 9, Op::Pow, false),
                _ => break,
            };
            if strength < least {
                break;
            }
            self.next += 1;
            let right = self.expression(after)?;
            let (a, b) = if swapped { (right, left) } else { (left, right) };
            left = if op == Op::Pow && b == Value::Constant(2.0) {
                self.emit(Op::Mul, [a, a, a], 1, at)?
            } else {
                self.emit(op, [a, b, b], op.sign_cost(), at)?
            };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn operand(&mut self) -> Result<Value, Slip> {
        // An operator at the end of a line goes on in the next one.
        while *self.peek() == Token::End && self.next + 1 < self.words.len() {
            self.next += 1;
        }
        let at = self.place();
        let token = self.peek().clone();
        self.next += 1;
        match token {
            Token::Number(number) => Ok(Value::Constant(number)),
            Token::Name(name) if matches!(self.peek(), Token::Sign("(")) => self.call(name, at),
            Token::Name(name) => self.value_of(name, at),
            Token::Sign("(") => {
                let value = self.expression(0)?;
                self.must_take(")", "`(` and its value")?;
                Ok(value)
            }
            Token::Sign("+") => self.expression(8),
            Token::Sign("-") => {
                let value = self.expression(8)?;
                self.emit(Op::Neg, [value; 3], 1, at)
            }
            Token::Sign("!") => {
                let value = self.expression(8)?;
                self.emit(Op::Not, [value; 3], 1, at)
            }
            Token::Sign(sign) => Err(Slip::new(at, format!("a value is missing before `{sign}`"))),
            Token::End => Err(Slip::new(at, "the formula ends where a value should stand")),
        }
    }

    fn call(&mut self, name: &str, at: usize) -> Result<Value, Slip> {
        let function = op::find(name, at)?;
        self.next += 1;
        let mut values = Vec::new();
        if !self.takes(")") {
            loop {
                values.push(self.expression(0)?);
                if !self.takes(",") {
                    break;
                }
            }
            self.must_take(")", &format!("the values of `{name}`"))?;
        }
        if values.len() != function.arguments {
            let plural = if function.arguments == 1 { "" } else { "s" };
            let message = format!(
                "`{name}` takes {} value{plural}, here are {}",
                function.arguments,
                values.len()
            );
            return Err(Slip::new(at, message));
        }
        let value = |place: usize| values.get(place).copied().unwrap_or(values[0]);
        self.emit(function.op, [value(0), value(1), value(2)], function.cost, at)
    }

    /// Adds a step, or works it out at once where everything is known.
    fn emit(&mut self, op: Op, from: [Value; 3], cost: u32, at: usize) -> Result<Value, Slip> {
        let depends_on_sound = matches!(op, Op::Rand | Op::Noise | Op::Wave | Op::Spec);
        if let [Value::Constant(a), Value::Constant(b), Value::Constant(c)] = from
            && !depends_on_sound
        {
            return Ok(Value::Constant(op.apply(&[a], &[b], &[c], &Heard::nothing())[0]));
        }
        if let Some(same) = self.steps.iter().position(|step| *step == (op, from)) {
            return Ok(Value::Step(same));
        }
        self.cost += cost;
        if self.cost > MAX_COST {
            let message = format!(
                "up to here the text costs more than {MAX_COST} simple operations; make it shorter, \
                 or move what is the same for every point to `frame`"
            );
            return Err(Slip::new(at, message));
        }
        self.steps.push((op, from));
        Ok(Value::Step(self.steps.len() - 1))
    }

    /// Gives every step a register, used again once its value is not needed any more.
    fn finish(self) -> Compiled<'a> {
        let inputs = self.names.inputs.len();
        let mut constants: Vec<f32> = Vec::new();
        let known = self.steps.iter().flat_map(|(_, from)| *from);
        for value in known.chain(self.set.iter().map(|(_, value)| *value)) {
            if let Value::Constant(number) = value
                && !constants.iter().any(|known| known.to_bits() == number.to_bits())
            {
                constants.push(number);
            }
        }
        let mut last_use: Vec<usize> = (0..self.steps.len()).collect();
        for (index, (_, from)) in self.steps.iter().enumerate() {
            for value in from {
                if let Value::Step(step) = value {
                    last_use[*step] = index;
                }
            }
        }
        for (_, value) in &self.set {
            if let Value::Step(step) = value {
                last_use[*step] = usize::MAX;
            }
        }
        let first = inputs + constants.len();
        let mut registers = first;
        let mut free: Vec<usize> = Vec::new();
        let mut places: Vec<usize> = Vec::with_capacity(self.steps.len());
        let place = |value: Value, places: &[usize]| match value {
            Value::Input(input) => input,
            Value::Step(step) => places[step],
            Value::Constant(number) => {
                let same = constants.iter().position(|known| known.to_bits() == number.to_bits());
                inputs + same.unwrap_or(0)
            }
        };
        let mut steps = Vec::with_capacity(self.steps.len());
        for (index, (op, from)) in self.steps.iter().enumerate() {
            let from_places = from.map(|value| place(value, &places) as u16);
            let mut done: Vec<usize> = from
                .iter()
                .filter_map(|value| match value {
                    Value::Step(step) if last_use[*step] == index => Some(places[*step]),
                    _ => None,
                })
                .collect();
            done.sort_unstable();
            done.dedup();
            free.extend(done);
            let to = free.pop().unwrap_or_else(|| {
                registers += 1;
                registers - 1
            });
            places.push(to);
            if last_use[index] == index {
                free.push(to);
            }
            steps.push(Step { op: *op, to: to as u16, from: from_places });
        }
        let set = self.set.iter().map(|(name, value)| (*name, place(*value, &places))).collect();
        let code = Code { inputs, constants, steps, registers, cost: self.cost };
        Compiled { code, set }
    }
}

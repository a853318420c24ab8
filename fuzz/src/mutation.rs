//! Mutations of logs that keep their framing: one section at a time, and of streams mostly single words.

use tests::hostile::{Section, join, sections};

/// Tags from here on are no streams.
const STREAMS: u8 = 18;

/// Mutates the sections in `data`, which holds `size` bytes; `mutate` is the fuzzer's own way.
///
/// Returns the new size, at most `max_size`.
pub fn mutate_sections(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    mutate: impl Fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    if max_size == 0 {
        return 0;
    }
    let mut dice = Dice(u64::from(seed) | 1 << 40);
    let mut all = sections(&data[..size]);
    if all.is_empty() || dice.below(16) == 0 {
        return mutate(data, size, max_size);
    }
    let place = dice.below(all.len());
    match dice.below(12) {
        0 => {
            all.remove(place);
        }
        1 => {
            let copy = all[place].clone();
            all.insert(dice.below(all.len() + 1), copy);
        }
        2 => {
            let other = dice.below(all.len());
            all.swap(place, other);
        }
        3 => all[place].tag = u8::try_from(dice.below(23)).expect("a small number"),
        4 | 5 => {
            let Section { content, .. } = &mut all[place];
            let length = content.len();
            content.resize(length + 64, 0);
            let length = mutate(content, length, length + 64);
            content.truncate(length);
        }
        6 if all[place].tag >= STREAMS && !all[place].content.is_empty() => {
            let Section { content, .. } = &mut all[place];
            let length = content.len();
            mutate(content, length, length);
        }
        _ => {
            for _ in 0..=dice.below(3) {
                change_word(&mut all[place].content, &mut dice);
            }
        }
    }
    let bytes = join(&all);
    let size = bytes.len().min(max_size);
    data[..size].copy_from_slice(&bytes[..size]);
    size
}

/// Changes a word of one, two, four or eight bytes, where such a word may lie.
fn change_word(content: &mut [u8], dice: &mut Dice) {
    let width = 1 << dice.below(4);
    let Some(words) = (content.len() / width).checked_sub(1) else { return };
    let start = dice.below(words + 1) * width;
    let mut word = [0; 8];
    word[..width].copy_from_slice(&content[start..start + width]);
    let old = u64::from_le_bytes(word);
    let new = match dice.below(9) {
        0 => 0,
        1 => 1,
        2 => u64::MAX,
        3 => u64::MAX >> 1,
        4 => 1 << 63,
        5 => old.wrapping_add(1),
        6 => old.wrapping_sub(1),
        7 => old ^ (1 << dice.below(width * 8)),
        _ => {
            let other = dice.below(words + 1) * width;
            content.copy_within(other..other + width, start);
            return;
        }
    };
    let new = if width < 8 && new == 1 << 63 { 1 << (width * 8 - 1) } else { new };
    content[start..start + width].copy_from_slice(&new.to_le_bytes()[..width]);
}

/// A small generator: what it draws depends on the seed alone.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let drawn = usize::try_from(self.0 >> 33).expect("31 bits");
        drawn % end.max(1)
    }
}

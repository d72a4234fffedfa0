import { describe, expect, test } from 'vitest';
import { inlineTestLine } from '../../shared/domain/application/inline-tests.ts';

const rust = `use std::fmt;

/// Adds.
/// assert_eq!(sums::add(1, 2), 3);
pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[cfg(test)]
use std::vec;

#[cfg(not(test))]
fn shown() {
    let _ = 1;
}

#[cfg(all(test, feature = "std"))]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(super::add(1, 2), 3);
    }
}

fn last() {}
`;

describe('tests inside sources', () => {
  test.each([
    ['of a module that is there for tests alone', 'src/lib.rs', rust, [17, 18, 21, 22, 23]],
    ['of an item that is, and of documentation that asserts', 'src/lib.rs', rust, [4, 9, 10]],
    ['of Vitest', 'src/sum.ts', 'export const one = 1;\nif (import.meta.vitest) {\n  test();\n}\n', [2, 3, 4]],
    ['of doctest', 'sums.py', 'def add():\n    """\n    >>> add()\n    """\n', [3]],
    ['of Zig', 'sums.zig', 'test "adds" {\n    try ok();\n}\n', [1, 2, 3]],
    ['of D', 'sums.d', 'unittest\n{\n    assert(true);\n}\n', [1, 3]],
  ])('%s are seen', (_, path, text, lines) => {
    for (const line of lines) expect([line, inlineTestLine(path, text, [line])]).toEqual([line, line]);
  });

  test.each([
    ['src/lib.rs', rust, [1, 3, 5, 6, 7, 12, 13, 14, 15, 25]],
    ['src/sum.ts', 'export const test = 1;\n', [1]],
    ['sums.py', 'def test():\n    return 1 >> 2\n', [1, 2]],
    ['sums.zig', 'const tested = 1;\nfn test_it() void {}\n', [1, 2]],
    ['sums.go', 'func TestAdds() {}\n', [1]],
  ])('other lines of %s are none', (path, text, lines) => {
    expect(inlineTestLine(path, text, lines)).toBeUndefined();
  });
});

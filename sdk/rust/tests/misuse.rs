//! Every misuse of the macros is a compile error that points at the mistake and says what would be right.

#[test]
fn mistakes_are_compile_errors() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}

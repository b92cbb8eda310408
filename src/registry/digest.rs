/// The first half of a digest as text: 32 characters.
pub(crate) fn short_hex(digest: &[u8; 32]) -> String {
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

//! What the picture and its legend draw alike.

use crate::base::vocabulary::Severity;

/// Whether what is found is drawn as grave.
pub(super) fn is_grave(severity: Severity) -> bool {
    severity <= Severity::High
}

/// Where data starts: at the left end of a line.
pub(super) fn diamond(x: i32, y: i32) -> String {
    format!("<path class=\"dot\" d=\"M{} {y}l4 -4l4 4l-4 4Z\"/>", x - 4)
}

/// Where a flow breaks a term or a rule.
pub(super) fn stop_sign(x: i32, y: i32) -> String {
    format!(
        "<path class=\"stop\" d=\"M{} {y}a6 6 0 1 1 12 0a6 6 0 1 1 -12 0Z\"/>\
         <path class=\"stop-bar\" d=\"M{} {y}h6\"/>",
        x - 6,
        x - 3
    )
}

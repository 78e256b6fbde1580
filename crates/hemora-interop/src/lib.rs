//! A triage result in the forms that other systems read.

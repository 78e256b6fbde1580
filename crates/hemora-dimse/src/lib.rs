//! DICOM network services: associations, C-ECHO, C-STORE, C-FIND and storage commitment.

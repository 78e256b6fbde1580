//! What a node keeps: the inbox, the database, jobs, the outbox.

//! The node beside the PACS: receives, scores, ranks and answers.

//! What runs published: immutable files and one numbered manifest a version.

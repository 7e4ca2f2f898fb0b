//! Who is contacted, who is held out, and why everybody else is not.

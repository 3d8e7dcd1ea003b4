//! A release carries the files that `npm run build` left, so a new build of them is a new build of this crate.

fn main() {
    println!("cargo:rerun-if-changed=dist");
}

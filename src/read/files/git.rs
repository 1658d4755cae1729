//! Revisions of a Git repository, read object by object: `git` is called without a
//! shell, nothing is checked out, no hook, filter or helper of the repository runs.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use thiserror::Error;

use super::{Entry, Kind, lexically};
use crate::base::diagnostic::nearest;

/// Why a repository or a revision cannot be read.
#[derive(Debug, Error)]
pub enum GitError {
    /// There is no program `git`.
    #[error("cannot run git: {0}\n  help: install git, or compare folders")]
    NoGit(io::Error),
    /// A folder lies in no repository.
    #[error(
        "`{folder}` lies in no Git repository{said}\n  help: name a folder instead of git:REVISION, or call this within the repository"
    )]
    NoRepository {
        /// The folder.
        folder: String,
        /// What git said, if it was something else.
        said: String,
    },
    /// A revision is not there.
    #[error("there is no revision `{revision}` here{help}")]
    NoRevision {
        /// As it was written.
        revision: String,
        /// What may help.
        help: String,
    },
    /// A name stands for several commits.
    #[error("`{name}` names different commits as {}\n  help: write the one that is meant in full, like `git:{}`", refs.join(" and as "), refs.first().map_or("", String::as_str))]
    Ambiguous {
        /// As it was written.
        name: String,
        /// The full names that it can stand for.
        refs: Vec<String>,
    },
    /// Anything else that git refused.
    #[error("git {what} failed: {said}")]
    Failed {
        /// The subcommand.
        what: &'static str,
        /// Its message.
        said: String,
    },
}

/// A repository with a work tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The topmost folder of the work tree.
    pub root: PathBuf,
}

/// `git`, told to keep to itself.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args([
        "--no-optional-locks",
        "--no-replace-objects",
        "--literal-pathspecs",
    ]);
    command.args([
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "core.quotePath=false",
        // A folder of the inventory can be made to look like a repository without a work tree.
        "-c",
        "safe.bareRepository=explicit",
    ]);
    // Set by git for its hooks; the repository is the one that the folder lies in.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_TRACE"] {
        command.env_remove(name);
    }
    // Nothing is fetched, nobody is asked, and messages are in English.
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    // Before Git 2.45 the first of these is not known: no protocol is allowed either.
    command.env("GIT_ALLOW_PROTOCOL", "none");
    command.stdin(Stdio::null());
    command
}

/// What a call wrote, or what it complained of.
fn output(command: &mut Command) -> Result<Result<Vec<u8>, String>, GitError> {
    let output = command.output().map_err(GitError::NoGit)?;
    if output.status.success() {
        return Ok(Ok(output.stdout));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines = said.lines().map(|line| line.trim_start_matches("fatal: ").trim()).filter(|l| !l.is_empty());
    Ok(Err(lines.collect::<Vec<_>>().join("; ")))
}

fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().next().unwrap_or_default().to_owned()
}

#[cfg(unix)]
fn native(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn native(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

impl Repository {
    /// The repository that a folder lies in.
    ///
    /// # Errors
    /// When it lies in none, or git cannot be run or refuses.
    pub fn of(folder: &Path) -> Result<Self, GitError> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let shown = folder.display().to_string();
        if !folder.is_dir() {
            return Err(GitError::NoRepository { folder: shown, said: String::new() });
        }
        match output(git(folder).args(["rev-parse", "--show-toplevel"]))? {
            Ok(root) => {
                let line = root.strip_suffix(b"\n").unwrap_or(&root);
                Ok(Repository { root: native(line) })
            }
            Err(said) => {
                let usual = said.starts_with("not a git repository");
                let said = if usual { String::new() } else { format!(": git says: {said}") };
                Err(GitError::NoRepository { folder: shown, said })
            }
        }
    }

    /// The commit that a revision names; `None` if it names none.
    ///
    /// # Errors
    /// When git cannot be run.
    pub fn commit(&self, revision: &str) -> Result<Option<String>, GitError> {
        if revision.is_empty() {
            return Ok(None);
        }
        let wanted = format!("{revision}^{{commit}}");
        let found =
            output(git(&self.root).args(["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]))?;
        let hex = |id: &String| id.len() >= 40 && id.bytes().all(|b| b.is_ascii_hexdigit());
        Ok(found.ok().map(|bytes| first_line(&bytes)).filter(hex))
    }

    /// Reads which files a revision has.
    ///
    /// # Errors
    /// When there is no such revision, or git refuses.
    pub fn revision(&self, revision: &str) -> Result<Revision, GitError> {
        self.unambiguous(revision)?;
        let Some(commit) = self.commit(revision)? else {
            return Err(GitError::NoRevision { revision: revision.to_owned(), help: self.help(revision)? });
        };
        let listing = output(git(&self.root).args(["ls-tree", "-r", "-z", "--full-tree", &commit]))?
            .map_err(|said| GitError::Failed { what: "ls-tree", said })?;
        let mut tree = BTreeMap::new();
        for record in listing.split(|&b| b == 0).filter(|record| !record.is_empty()) {
            let Some(tab) = record.iter().position(|&b| b == b'\t') else {
                continue;
            };
            let (head, path) =
                (record.get(..tab).unwrap_or_default(), record.get(tab + 1..).unwrap_or_default());
            let head = String::from_utf8_lossy(head);
            let mut words = head.split(' ');
            let (Some(mode), Some(_), Some(object)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let path = native(path);
            // A tree made by hand can hold anything; what leads elsewhere is not looked at.
            if !path.components().all(|part| matches!(part, Component::Normal(_))) {
                continue;
            }
            let node = match mode {
                "120000" => Node::Link(object.to_owned()),
                "160000" => Node::Other,
                _ => Node::File(object.to_owned()),
            };
            for above in path.ancestors().skip(1) {
                if tree.insert(above.to_owned(), Node::Folder).is_some() {
                    break;
                }
            }
            tree.insert(path, node);
        }
        tree.insert(PathBuf::new(), Node::Folder);
        // Paths are meant as on disk, whichever way the root is reached.
        let real = std::fs::canonicalize(&self.root).unwrap_or_else(|_| self.root.clone());
        let objects = Mutex::new(Objects { repository: self.root.clone(), running: None });
        Ok(Revision { root: self.root.clone(), real, commit, tree, objects })
    }

    /// Refuses a name that stands for several commits: git would prefer a tag to a branch, and a
    /// branch to the start of a hash, so that whoever can push a name could choose the base.
    fn unambiguous(&self, revision: &str) -> Result<(), GitError> {
        let name = revision.split(['^', '~', '@', ':']).next().unwrap_or_default();
        if name.is_empty() || name == "HEAD" {
            return Ok(());
        }
        let ways = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
        let candidates: Vec<String> = ways
            .iter()
            .map(|way| format!("{way}{name}"))
            .chain([format!("refs/remotes/{name}/HEAD")])
            .filter(|full| full.starts_with("refs/"))
            .collect();
        let listed = output(git(&self.root).args(["for-each-ref", "--format=%(refname)"]).args(&candidates))?;
        let listed = listed.map_err(|said| GitError::Failed { what: "for-each-ref", said })?;
        let listed = String::from_utf8_lossy(&listed);
        let mut refs: Vec<String> =
            candidates.into_iter().filter(|full| listed.lines().any(|line| line == full)).collect();
        // A hash in full is always the object; the start of one yields to a ref of that name.
        let part_of_hash = (4..40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_hexdigit());
        if part_of_hash && !refs.is_empty() {
            let objects = output(git(&self.root).args(["rev-parse", &format!("--disambiguate={name}")]))?;
            let objects = objects.unwrap_or_default();
            refs.extend(String::from_utf8_lossy(&objects).lines().map(str::to_owned));
        }
        let mut commits = BTreeMap::new();
        for full in refs {
            if let Some(commit) = self.commit(&full)? {
                commits.entry(commit).or_insert(full);
            }
        }
        if commits.len() < 2 {
            return Ok(());
        }
        let mut refs: Vec<String> = commits.into_values().collect();
        refs.sort();
        Err(GitError::Ambiguous { name: name.to_owned(), refs })
    }

    fn help(&self, revision: &str) -> Result<String, GitError> {
        let refs = output(git(&self.root).args(["for-each-ref", "--format=%(refname:short)"]))?;
        let refs = refs.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let near =
            nearest(revision, refs.lines()).map(|near| format!("\n  help: did you mean `git:{near}`?"));
        let shallow = output(git(&self.root).args(["rev-parse", "--is-shallow-repository"]))?;
        let shallow = shallow.is_ok_and(|said| said.starts_with(b"true")).then(|| {
            "\n  help: this clone is shallow; fetch the revision first: `git fetch --unshallow`, or \
             `fetch-depth: 0` where the pipeline checks out"
                .to_owned()
        });
        Ok(shallow.or(near).unwrap_or_else(|| {
            "\n  help: `git branch --all` and `git tag` list what there is; a branch of the server is \
             `git:origin/NAME`, and has to be fetched first"
                .to_owned()
        }))
    }
}

/// What stands at a path of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    File(String),
    Link(String),
    Folder,
    Other,
}

/// The files of one commit, as if they lay below the work tree's root.
#[derive(Debug)]
pub struct Revision {
    root: PathBuf,
    real: PathBuf,
    /// The commit's full id.
    pub commit: String,
    tree: BTreeMap<PathBuf, Node>,
    objects: Mutex<Objects>,
}

/// How many links a path may have, as on disk.
const MOST_LINKS: usize = 40;

fn not_found() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl Revision {
    /// A path relative to the root, if it lies below.
    fn below(&self, path: &Path) -> Option<PathBuf> {
        let whole = lexically(&std::env::current_dir().ok()?.join(path));
        let below = whole.strip_prefix(&self.root).or_else(|_| whole.strip_prefix(&self.real));
        below.ok().map(Path::to_owned)
    }

    /// Whether a path lies within the repository.
    pub fn holds(&self, path: &Path) -> bool {
        self.below(path).is_some()
    }

    /// A path relative to the root, links followed, and what is there.
    fn find(&self, path: &Path) -> io::Result<(PathBuf, &Node)> {
        self.follow(&self.below(path).ok_or_else(not_found)?, 0)
    }

    fn follow(&self, path: &Path, links: usize) -> io::Result<(PathBuf, &Node)> {
        if links > MOST_LINKS {
            return Err(io::Error::other("too many links"));
        }
        let mut done = PathBuf::new();
        let mut parts = path.components();
        while let Some(part) = parts.next() {
            let next = done.join(part);
            match self.tree.get(&next) {
                None => return Err(not_found()),
                Some(Node::Link(object)) => {
                    let target = native(&self.object(object, 4096)?);
                    let whole = done.join(&target);
                    // Out of the repository nothing is known.
                    if target.is_absolute() || outside(&whole) {
                        return Err(not_found());
                    }
                    return self.follow(&lexically(&whole.join(parts.as_path())), links + 1);
                }
                Some(_) => done = next,
            }
        }
        let node = self.tree.get(&done).ok_or_else(not_found)?;
        Ok((done, node))
    }

    /// See [`super::Files::kind`].
    pub fn kind(&self, path: &Path) -> io::Result<Kind> {
        Ok(kind(self.find(path)?.1))
    }

    /// See [`super::Files::canonical`].
    pub fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.root.join(self.find(path)?.0))
    }

    /// See [`super::Files::list`].
    pub fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let (below, node) = self.find(folder)?;
        if *node != Node::Folder {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        let mut entries = Vec::new();
        for (path, node) in self.tree.range(below.clone()..) {
            let Ok(rest) = path.strip_prefix(&below) else {
                break;
            };
            let mut parts = rest.components();
            if let (Some(Component::Normal(name)), None) = (parts.next(), parts.next()) {
                entries.push(Entry {
                    name: name.to_string_lossy().into_owned(),
                    path: folder.join(name),
                    kind: kind(node),
                });
            }
        }
        Ok(entries)
    }

    /// See [`super::Files::read`].
    pub fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        match self.find(path)?.1 {
            Node::File(object) => self.object(object, most),
            _ => Err(io::Error::other("it is no ordinary file")),
        }
    }

    /// All files and folders with this name, for suggestions: relative to the root.
    pub fn named(&self, name: &OsStr) -> Vec<&Path> {
        let all = self.tree.keys().filter(|path| path.file_name() == Some(name));
        all.map(PathBuf::as_path).collect()
    }

    fn object(&self, id: &str, most: u64) -> io::Result<Vec<u8>> {
        let mut objects = self.objects.lock().map_err(|_| io::Error::other("git stopped answering"))?;
        objects.read(id, most)
    }
}

/// Whether a relative path leads above where it starts.
fn outside(path: &Path) -> bool {
    let mut depth = 0_usize;
    for part in path.components() {
        match part {
            Component::ParentDir => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return true,
            },
            Component::Normal(_) => depth += 1,
            _ => {}
        }
    }
    false
}

fn kind(node: &Node) -> Kind {
    match node {
        Node::File(_) => Kind::File(None),
        Node::Link(_) => Kind::Link,
        Node::Folder => Kind::Folder,
        Node::Other => Kind::Other,
    }
}

/// `git cat-file --batch`, kept running.
#[derive(Debug)]
struct Objects {
    repository: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Objects {
    fn read(&mut self, id: &str, most: u64) -> io::Result<Vec<u8>> {
        let running = match &mut self.running {
            Some(running) => running,
            none => none.insert(start(&self.repository)?),
        };
        running.input.write_all(format!("{id}\n").as_bytes())?;
        running.input.flush()?;
        let mut head = String::new();
        running.output.read_line(&mut head)?;
        let mut words = head.trim_end().split(' ').skip(1);
        let size = match (words.next(), words.next().map(str::parse::<u64>)) {
            (Some("blob"), Some(Ok(size))) => size,
            (Some("missing"), _) => {
                return Err(io::Error::other(format!(
                    "this clone does not hold its content (object {id}); a partial clone fetches it with \
                     `git checkout` or `git fetch --refetch`"
                )));
            }
            _ => return Err(io::Error::other("git gave an answer that was not understood")),
        };
        let mut bytes = Vec::new();
        let kept = size.min(most);
        (&mut running.output).take(kept).read_to_end(&mut bytes)?;
        // The rest, and the line end behind it.
        io::copy(&mut (&mut running.output).take(size - kept + 1), &mut io::sink())?;
        if bytes.len() as u64 == kept { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

fn start(repository: &Path) -> io::Result<Running> {
    let mut child = git(repository)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(input), Some(output)) => Ok(Running { child, input, output: BufReader::new(output) }),
        _ => Err(io::Error::other("git has no input or output")),
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its work is done once its input ends; nothing depends on how it ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

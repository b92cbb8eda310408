//! All files of `src` as modules that know where a name comes from.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::source::{Names, Source};

/// The modules of the library by their names from the root.
pub struct House {
    pub modules: BTreeMap<Names, Source>,
    /// The modules and crates that each of them uses.
    pub used: BTreeMap<Names, BTreeSet<Home>>,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Home {
    /// To a module of ours: the file that declares the item.
    Module(Names),
    /// To another crate, or to what is declared in the function.
    Elsewhere(String),
}

impl House {
    /// The modules below `src`; those of tests too, if wanted.
    pub fn read(src: &Path, with_tests: bool) -> Self {
        let mut house = Self { modules: BTreeMap::new(), used: BTreeMap::new() };
        house.add(Vec::new(), &src.join("lib.rs"), src, with_tests);
        house.used = house.modules.keys().map(|module| (module.clone(), house.used_by(module))).collect();
        house
    }

    fn add(&mut self, name: Names, file: &Path, folder: &Path, with_tests: bool) {
        let source = Source::read(&std::fs::read_to_string(file).unwrap(), with_tests);
        for child in source.children.iter().filter(|child| with_tests || !source.tests.contains(*child)) {
            let inner = folder.join(child);
            let file =
                [folder.join(format!("{child}.rs")), inner.join("mod.rs")].into_iter().find(|file| file.exists());
            let file = file.unwrap_or_else(|| panic!("no file of the module {child} of {name:?}"));
            self.add([name.as_slice(), std::slice::from_ref(child)].concat(), &file, &inner, with_tests);
        }
        self.modules.insert(name, source);
    }

    fn used_by(&self, module: &Names) -> BTreeSet<Home> {
        let source = &self.modules[module];
        let globs = source.globs.iter().map(|glob| self.home(module, glob, 0));
        let homes: BTreeSet<Home> = source.paths.iter().map(|path| self.home(module, path, 0)).chain(globs).collect();
        homes.into_iter().filter(|home| *home != Home::Module(module.clone())).collect()
    }

    /// Where a path that is written in a module leads.
    fn home(&self, module: &Names, path: &[String], depth: usize) -> Home {
        let (first, rest) = path.split_first().unwrap();
        match first.as_str() {
            "crate" => self.item(&Vec::new(), rest, depth),
            "self" => self.item(module, rest, depth),
            "super" => {
                let parent = module[..module.len().saturating_sub(1)].to_vec();
                if rest.first().is_some_and(|next| next == "super") {
                    self.home(&parent, rest, depth)
                } else {
                    self.item(&parent, rest, depth)
                }
            }
            "Self" => Home::Module(module.clone()),
            _ if self.knows(module, first) => self.item(module, path, depth),
            _ => Home::Elsewhere(first.clone()),
        }
    }

    fn knows(&self, module: &Names, name: &str) -> bool {
        let source = &self.modules[module];
        source.children.contains(name) || source.imported.contains_key(name) || source.items.contains(name)
    }

    /// Where a path leads from a module of ours.
    fn item(&self, module: &Names, path: &[String], depth: usize) -> Home {
        let source = &self.modules[module];
        let Some((first, rest)) = path.split_first().filter(|_| depth < 20) else {
            return Home::Module(module.clone());
        };
        let child = [module.as_slice(), std::slice::from_ref(first)].concat();
        if self.modules.contains_key(&child) {
            return self.item(&child, rest, depth);
        }
        if source.items.contains(first) {
            return Home::Module(module.clone());
        }
        if let Some(imported) = source.imported.get(first) {
            // A module that is imported under its own name.
            let whole = [imported.as_slice(), rest].concat();
            return if imported.first() == Some(first) && !source.children.contains(first) {
                Home::Elsewhere(first.clone())
            } else {
                self.home(module, &whole, depth + 1)
            };
        }
        for glob in &source.globs {
            if let Home::Module(from) = self.home(module, glob, depth + 1)
                && from != *module
                && self.knows(&from, first)
            {
                return self.item(&from, path, depth + 1);
            }
        }
        Home::Module(module.clone())
    }

    /// The rooms that a module names: `app` for a path through it, wherever the item at its end is declared.
    pub fn rooms(&self, module: &Names) -> BTreeSet<&str> {
        let source = &self.modules[module];
        let paths = source.paths.iter().chain(&source.globs).chain(source.imported.values());
        paths
            .filter_map(|path| match path.iter().take_while(|name| *name == "super").count() {
                0 if path[0] == "crate" => path.get(1),
                // Out of a room through its root.
                steps if steps > 0 && steps == module.len() => path.get(steps),
                _ => None,
            })
            .map(String::as_str)
            .filter(|room| self.modules[&Names::new()].children.contains(*room))
            .collect()
    }

    /// Groups of modules of one room that use each other, directly or through others. Using a module around it
    /// puts none into a circle.
    pub fn circles(&self) -> BTreeSet<BTreeSet<Names>> {
        let beside = |module: &Names| -> BTreeSet<&Names> {
            let used = self.used[module].iter().filter_map(|home| match home {
                Home::Module(used) => Some(used),
                Home::Elsewhere(_) => None,
            });
            used.filter(|used| used.first() == module.first() && !module.starts_with(used)).collect()
        };
        let inner = self.modules.keys().filter(|module| !module.is_empty());
        let mut reached: BTreeMap<&Names, BTreeSet<&Names>> = inner.map(|module| (module, beside(module))).collect();
        // One step more each time, until nothing new is reached.
        loop {
            let further: BTreeMap<&Names, BTreeSet<&Names>> = reached
                .iter()
                .map(|(module, used)| {
                    (*module, used.iter().flat_map(|used| &reached[*used]).chain(used).copied().collect())
                })
                .collect();
            if further == reached {
                break;
            }
            reached = further;
        }
        let in_circles = reached.iter().filter(|(module, used)| used.contains(*module));
        in_circles
            .map(|(module, used)| {
                used.iter().filter(|used| reached[**used].contains(module)).map(|used| (*used).clone()).collect()
            })
            .collect()
    }
}

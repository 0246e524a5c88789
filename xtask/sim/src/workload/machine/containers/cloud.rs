//! What one cloud has on an engine: a network, images, containers. Nothing of it outlives the cloud.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;

use super::engine::Engine;
use super::note::Note;
use super::sidecar::Sidecar;
use super::{archive, names, removal};
use crate::workload::TaskStart;
use crate::workload::machine::image::Image;
use crate::workload::machine::watchdog::Watchdog;

/// One cloud's things on an engine.
pub(super) struct Cloud {
    pub(super) engine: Engine,
    pub(super) id: String,
    pub(super) sidecar: Sidecar,
    /// By digest: the cell makes the tasks that start at once wait for one load.
    loaded: Mutex<BTreeMap<String, Arc<OnceCell<()>>>>,
    watchdog: Mutex<Option<Watchdog>>,
}

impl Cloud {
    /// Finds an engine and makes the cloud's network on it.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub(super) async fn open(state_dir: &Path, sidecar: Sidecar) -> std::result::Result<Self, String> {
        let engine = Engine::find().await?;
        let id = names::id(state_dir);
        let noted = |error: Error| format!("cannot note the engine: {error}");
        Note::of(engine).write(state_dir).map_err(noted)?;
        // What an earlier cloud of this folder left: its own note may have gone with a `cargo clean`.
        let folder = state_dir.to_owned();
        let reaped = tokio::task::spawn_blocking(move || removal::reap(&folder)).await;
        reaped.map_err(Error::other).flatten().map_err(|error| error.to_string())?;
        // Noted before anything is made: it is found again, whatever happens.
        Note::of(engine).write(state_dir).map_err(noted)?;
        let watchdog = removal::watchdog(engine, &id).map_err(|error| format!("no watchdog: {error}"))?;
        let label = format!("{}={id}", names::CLOUD);
        let made = engine.run(&["network", "create", "--label", &label, &names::network(&id)]).await;
        made.map_err(|failure| format!("no network for the tasks: {}", String::from(failure)))?;
        Ok(Self { engine, id, sidecar, loaded: Mutex::default(), watchdog: Mutex::new(Some(watchdog)) })
    }

    /// Brings an image to the engine, once.
    ///
    /// # Errors
    /// What the engine said against it.
    pub(super) async fn load(&self, image: &Image, repository: &str) -> std::result::Result<String, String> {
        let name = names::image(&self.id, repository, &image.digest);
        self.load_as(name, &image.configuration, &image.layers).await
    }

    /// Has the engine pull an image of another registry. Without a network, one that it pulled before will do.
    ///
    /// # Errors
    /// What the engine said against it.
    pub(super) async fn pull(&self, image: &str) -> std::result::Result<String, String> {
        match self.engine.run(&["pull", "--quiet", image]).await {
            Ok(said) => Ok(said),
            Err(why) => {
                let there = self.engine.run(&["image", "inspect", "--format", "{{.Id}}", image]).await;
                there.map_err(|_| String::from(why))
            }
        }
    }

    /// Brings a configuration and its layers to the engine as an image with this name, once; gives the name.
    ///
    /// # Errors
    /// What the engine said against it.
    pub(super) async fn load_as(
        &self,
        name: String,
        configuration: &Bytes,
        layers: &[Bytes],
    ) -> std::result::Result<String, String> {
        let cell = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.entry(name.clone()).or_default().clone()
        };
        let load = || async {
            let (name, configuration, layers) = (name.clone(), configuration.clone(), layers.to_vec());
            let written =
                tokio::task::spawn_blocking(move || archive::of(&name, &configuration, &layers)).await;
            let content = written.map_err(Error::other).flatten().map_err(|error| error.to_string())?;
            self.engine
                .exchange(self.engine.command(&["load"]), &content)
                .await
                .map(drop)
                .map_err(String::from)
        };
        cell.get_or_try_init(load).await?;
        Ok(name)
    }

    /// Makes the volumes that containers of a task share. Root's, with mode 0755, as on Fargate.
    ///
    /// # Errors
    /// What the engine said against it.
    pub(super) async fn make_volumes(&self, start: &TaskStart) -> std::result::Result<(), String> {
        let label = format!("{}={}", names::CLOUD, self.id);
        let mounts = start.containers.iter().flat_map(|container| &container.mounts);
        let shared: BTreeSet<&String> =
            mounts.map(|mount| &mount.volume).filter(|volume| start.shares(volume)).collect();
        for volume in shared {
            let name = names::volume(start, volume);
            self.engine.run(&["volume", "create", "--label", &label, &name]).await.map_err(String::from)?;
        }
        Ok(())
    }

    /// Removes a task's containers, its sidecar last: it holds the namespace of the others. Then their volumes.
    pub(super) async fn remove_task(&self, task: &str) {
        for role in [names::CONTAINER, names::SIDECAR] {
            let (cloud, role, task) =
                (names::of_cloud(&self.id), names::of_role(role), format!("name=-{task:.12}$"));
            let find = ["ps", "--all", "--quiet", "--filter", &cloud, "--filter", &role, "--filter", &task];
            let found = self.engine.run(&find).await.unwrap_or_default();
            let remove = ["rm", "--force", "--volumes"].into_iter().chain(found.lines());
            if !found.is_empty() {
                // What stays is removed with the cloud.
                let _ = self.engine.run(&remove.collect::<Vec<_>>()).await;
            }
        }
        let (cloud, task) = (names::of_cloud(&self.id), format!("name=-{task:.12}$"));
        let find = ["volume", "ls", "--quiet", "--filter", &cloud, "--filter", &task];
        let found = self.engine.run(&find).await.unwrap_or_default();
        if !found.is_empty() {
            // As above.
            let _ =
                self.engine.run(&["volume", "rm"].into_iter().chain(found.lines()).collect::<Vec<_>>()).await;
        }
    }

    /// # Errors
    /// What the engine said against it.
    pub(super) async fn close(&self, state_dir: &Path) -> std::io::Result<()> {
        let watchdog = self.watchdog.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(watchdog) = watchdog {
            // The next line reports what it could not remove.
            let _ = watchdog.dismiss().await;
        }
        let state_dir = state_dir.to_owned();
        let removed = tokio::task::spawn_blocking(move || removal::reap(&state_dir)).await;
        removed.map_err(Error::other).flatten().map(drop)
    }
}

//! The live terminal view: one line for each service that rolls, under the lines of what is done.

use std::collections::BTreeMap;
use std::time::Duration;

use deploy::event::{Event, Kind};
use deploy::model::ServiceKey;
use deploy::view::{Detail, line, rolling};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// How often a spinner turns; often enough to look alive, rarely enough to cost nothing.
const TICK: Duration = Duration::from_millis(120);

#[derive(Debug, Default)]
pub(super) struct Live {
    area: MultiProgress,
    phase: Option<ProgressBar>,
    services: BTreeMap<ServiceKey, ProgressBar>,
}

impl Live {
    /// Moves the lines that stay at the bottom.
    pub(super) fn follow(&mut self, event: &Event) {
        match &event.kind {
            Kind::PhaseBegan { .. } => {
                let text = line(event, Detail::Normal).unwrap_or_default();
                let bar = self.bar();
                bar.set_message(text);
                if let Some(old) = self.phase.replace(bar) {
                    old.finish_and_clear();
                }
            }
            Kind::BuildLine { service, line } => {
                if let Some(phase) = &self.phase {
                    let of = service.as_ref().map(|service| format!("{service}: ")).unwrap_or_default();
                    phase.set_message(format!("build    {of}{}", line.trim()));
                }
            }
            Kind::PhaseEnded { .. } => {
                if let Some(bar) = self.phase.take() {
                    bar.finish_and_clear();
                }
            }
            Kind::Following { service, .. } | Kind::Rolling { service, .. } => {
                let text = rolling(&event.kind).or_else(|| line(event, Detail::Normal)).unwrap_or_default();
                let known = self.services.get(service).cloned();
                let bar = known.unwrap_or_else(|| self.bar());
                bar.set_message(text.trim().to_owned());
                self.services.insert(service.clone(), bar);
            }
            Kind::Settled { service, .. } => {
                if let Some(bar) = self.services.remove(service) {
                    bar.finish_and_clear();
                }
            }
            Kind::Ended { .. } => self.clear(),
            _ => {}
        }
    }

    /// Whether the event is shown at the bottom and needs no line above.
    pub(super) fn holds(&self, event: &Event) -> bool {
        matches!(event.kind, Kind::PhaseBegan { .. } | Kind::BuildLine { .. } | Kind::Rolling { .. })
    }

    /// Runs `print` with the bottom lines out of the way.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.area.suspend(print);
    }

    /// Takes all bottom lines away.
    pub(super) fn clear(&mut self) {
        for bar in self.phase.take().into_iter().chain(std::mem::take(&mut self.services).into_values()) {
            bar.finish_and_clear();
        }
    }

    fn bar(&self) -> ProgressBar {
        let bar = self.area.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        bar
    }
}

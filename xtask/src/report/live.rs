//! The live terminal view: one line for each service that rolls, under the lines of what is done.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use deploy::event::{Event, Kind, Phase};
use deploy::model::ServiceKey;
use deploy::rollout::Waiting;
use deploy::view::{Detail, line, rolling};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::area::area;
use super::screen::shown;
use crate::host::Terminal;

/// How often a spinner turns; often enough to look alive, rarely enough to cost nothing.
const TICK: Duration = Duration::from_millis(120);

/// Columns of the bar of a roll.
const BAR: usize = 20;

#[derive(Debug)]
pub(super) struct Live {
    area: MultiProgress,
    phase: Option<ProgressBar>,
    services: BTreeMap<ServiceKey, ProgressBar>,
    /// Why services will fail, while that is waited for.
    causes: BTreeMap<ServiceKey, ProgressBar>,
    /// Images on their way to the registry.
    pushes: BTreeMap<ServiceKey, ProgressBar>,
    /// How long the plan's rolls were predicted to take, and the bar that shows it once they begin.
    predicted_ms: Option<u64>,
    roll: Option<ProgressBar>,
    ascii: bool,
    /// Crates that were compiled so far. Cargo does not say of how many.
    crates: usize,
}

impl Live {
    pub(super) fn new(terminal: Terminal) -> Self {
        Self {
            area: area(),
            phase: None,
            services: BTreeMap::new(),
            causes: BTreeMap::new(),
            pushes: BTreeMap::new(),
            predicted_ms: None,
            roll: None,
            ascii: terminal.ascii,
            crates: 0,
        }
    }

    /// Moves the lines that stay at the bottom.
    pub(super) fn follow(&mut self, event: &Event) {
        match &event.kind {
            Kind::Forecast(forecast) => self.predicted_ms = Some(forecast.total_ms),
            Kind::PhaseBegan { phase, .. } => {
                match phase {
                    Phase::Apply => self.begin_roll(),
                    Phase::Verify => self.end_roll(),
                    _ => {}
                }
                let text = line(event, Detail::Normal).unwrap_or_default();
                let bar = self.bar();
                bar.set_message(shown(&text).into_owned());
                if let Some(old) = self.phase.replace(bar) {
                    old.finish_and_clear();
                }
            }
            Kind::BuildLine { service, line } => {
                if let Some(phase) = &self.phase {
                    if service.is_none() && line.trim_start().starts_with("Compiling ") {
                        self.crates += 1;
                        phase.set_message(format!("build    crate {}: {}", self.crates, line.trim()));
                        return;
                    }
                    let of = service.as_ref().map(|service| format!("{service}: ")).unwrap_or_default();
                    phase.set_message(format!("build    {of}{}", line.trim()));
                }
            }
            Kind::PhaseEnded { .. } => {
                if let Some(bar) = self.phase.take() {
                    bar.finish_and_clear();
                }
            }
            Kind::Explained { service, cause } => {
                let bar = self.bar();
                bar.set_message(shown(&format!("{service}: {}", cause.cause)).into_owned());
                self.causes.insert(service.clone(), bar);
            }
            Kind::Following { service, .. } | Kind::Rolling { service, .. } => {
                // The prediction is about the roll and not about its rollback.
                if matches!(event.kind, Kind::Rolling { waiting: Waiting::Rollback, .. }) {
                    self.end_roll();
                }
                let text = rolling(&event.kind).or_else(|| line(event, Detail::Normal)).unwrap_or_default();
                let known = self.services.get(service).cloned();
                let bar = known.unwrap_or_else(|| self.bar());
                bar.set_message(shown(text.trim()).into_owned());
                self.services.insert(service.clone(), bar);
            }
            Kind::Pushing { service, done, of } => {
                if done >= of {
                    if let Some(bar) = self.pushes.remove(service) {
                        bar.finish_and_clear();
                    }
                    return;
                }
                let known = self.pushes.get(service).cloned();
                let bar = known.unwrap_or_else(|| self.bar());
                let text = line(event, Detail::Verbose).unwrap_or_default();
                let share = deploy::view::share(*done, *of, BAR);
                bar.set_message(format!("{} {share}", shown(text.trim_start_matches([' ', '·']))));
                self.pushes.insert(service.clone(), bar);
            }
            Kind::Settled { service, .. } => {
                if let Some(bar) = self.services.remove(service) {
                    bar.finish_and_clear();
                }
            }
            Kind::Undoing { .. } | Kind::ForecastMet { .. } => self.end_roll(),
            Kind::Ended { .. } => self.clear(),
            _ => {}
        }
    }

    /// Whether the event is shown at the bottom and needs no line above.
    pub(super) fn holds(&self, event: &Event) -> bool {
        matches!(
            event.kind,
            Kind::PhaseBegan { .. } | Kind::BuildLine { .. } | Kind::Rolling { .. } | Kind::Pushing { .. }
        )
    }

    /// Runs `print` with the bottom lines out of the way.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.area.suspend(print);
    }

    /// Takes all bottom lines away.
    pub(super) fn clear(&mut self) {
        self.end_roll();
        let rolls = std::mem::take(&mut self.services).into_values();
        let pushes = std::mem::take(&mut self.pushes).into_values();
        let causes = std::mem::take(&mut self.causes).into_values();
        for bar in self.phase.take().into_iter().chain(rolls).chain(pushes).chain(causes) {
            bar.finish_and_clear();
        }
    }

    /// Shows the time beside the predicted one, below everything else.
    fn begin_roll(&mut self) {
        let Some(total_ms) = self.predicted_ms.filter(|_| self.roll.is_none()) else { return };
        let bar = self.area.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("  {roll}") {
            bar.set_style(style.with_key("roll", move |state: &ProgressState, to: &mut dyn Write| {
                let elapsed_ms = u64::try_from(state.elapsed().as_millis()).unwrap_or(u64::MAX);
                let _cut = to.write_str(&deploy::view::bar(elapsed_ms, total_ms, BAR));
            }));
        }
        bar.enable_steady_tick(TICK);
        self.roll = Some(bar);
    }

    fn end_roll(&mut self) {
        self.predicted_ms = None;
        if let Some(bar) = self.roll.take() {
            bar.finish_and_clear();
        }
    }

    fn bar(&self) -> ProgressBar {
        let bar = match &self.roll {
            Some(roll) => self.area.insert_before(roll, ProgressBar::new_spinner()),
            None => self.area.add(ProgressBar::new_spinner()),
        };
        // Cut at the edge: a line that wraps leaves its second half behind when it is drawn anew.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed:.dim}") {
            bar.set_style(if self.ascii { style.tick_chars("|/-\\ ") } else { style });
        }
        bar.enable_steady_tick(TICK);
        bar
    }
}

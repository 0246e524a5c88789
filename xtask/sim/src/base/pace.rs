//! How long the account itself takes over the steps of a task's and a deployment's life.
//!
//! Pulling and starting is the workload's time; these are the delays that ECS adds around it.

/// Durations in milliseconds. [`Pace::default`] has the times that are seen on AWS, [`Pace::local`] what a
/// person in front of a terminal wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// PROVISIONING: the network interface is made.
    pub provisioning_ms: u64,
    /// How long a pull is tried in vain before the task is given up; a virtual workload may take it as the
    /// duration of a pull that succeeds.
    pub pulling_ms: u64,
    /// ACTIVATING: the targets are registered.
    pub activating_ms: u64,
    /// DEPROVISIONING: the network interface is removed.
    pub deprovisioning_ms: u64,
    /// How long a task without any health check runs before it counts as healthy (AWS: 40 seconds).
    pub unchecked_healthy_ms: u64,
    /// Between the last old task's end and `COMPLETED`.
    pub completion_lag_ms: u64,
    /// Between a service having what it wants and `has reached a steady state`.
    pub steady_lag_ms: u64,
    /// The delay before the second attempt when tasks never reach RUNNING.
    pub launch_retry_ms: u64,
    /// The longest delay between such attempts (AWS: 15 minutes).
    pub launch_retry_max_ms: u64,
    /// Upper bound of the time between health checks of something not yet healthy; `None` keeps to the
    /// configured intervals, as AWS does.
    pub first_checks_ms: Option<u64>,
    /// Between a container's start and the one of ECS Exec's agent in it.
    pub exec_agent_ms: u64,
    /// How long stopped tasks and INACTIVE services are remembered (AWS: at least an hour).
    pub memory_ms: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            provisioning_ms: 10_000,
            pulling_ms: 15_000,
            activating_ms: 3_000,
            deprovisioning_ms: 12_000,
            unchecked_healthy_ms: 40_000,
            completion_lag_ms: 10_000,
            steady_lag_ms: 5_000,
            launch_retry_ms: 60_000,
            launch_retry_max_ms: 900_000,
            first_checks_ms: None,
            exec_agent_ms: 3_000,
            memory_ms: 3_600_000,
        }
    }
}

impl Pace {
    /// Brisk: for the loopback server, where nothing has to be provisioned and somebody waits.
    pub fn local() -> Self {
        Self {
            provisioning_ms: 50,
            pulling_ms: 200,
            activating_ms: 50,
            deprovisioning_ms: 50,
            unchecked_healthy_ms: 2_000,
            completion_lag_ms: 200,
            steady_lag_ms: 100,
            launch_retry_ms: 1_000,
            launch_retry_max_ms: 15_000,
            first_checks_ms: Some(500),
            exec_agent_ms: 100,
            memory_ms: 3_600_000,
        }
    }
}

//! Which tenant and study a command works in.

use clap::Args;
use control::{Actor, ControlError, TraceId};
use kernel::{Build, StudyId};

use crate::app::App;
use crate::error::{Failure, Result};
use crate::work::Engineer;

/// A study of a tenant.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// The tenant, by its short name.
    #[arg(long, env = "CAIRN_TENANT", value_name = "TENANT")]
    pub(crate) tenant: String,
    /// The study, by its code.
    #[arg(long, env = "CAIRN_STUDY", value_name = "STUDY")]
    pub(crate) study: StudyId,
}

impl Place {
    /// The operator, at work in this study.
    pub(crate) async fn operator(&self, app: &App) -> Result<Engineer> {
        let tenant = app.control.tenant_by_slug(&Actor::Operator, &self.tenant).await.map_err(|error| match error {
            ControlError::Denied => Failure::Usage(format!(
                "there is no tenant `{}`; see `cairn admin tenant list`, or make it with `cairn admin tenant create`",
                self.tenant
            )),
            error => Failure::Control(error),
        })?;
        let grants = app.control.operator_grants(tenant.id).await?;
        let scope =
            grants.scope::<Build>(&self.study).map_err(|denied| Failure::NotThere(denied.to_string()))?;
        Ok(Engineer { actor: Actor::Operator, scope, trace: TraceId::random()?, fence: None })
    }
}

//! The management API: the GraphQL schema, and running requests against it.
//!
//! The HTTP route hands in requests of authenticated callers; resolvers ask the store traits. One file
//! per aggregate holds its type, inputs and resolvers. The only place that knows juniper, beside the
//! route; it never sees SQL, and never decides whether a key is valid.

mod api_key;
mod author;
mod bare;
mod capture;
mod client_certificate;
mod connection;
mod context;
mod cost;
mod current_user;
mod doctor;
mod document;
mod error;
mod event;
mod event_control;
mod event_request;
mod filter;
mod filter_test;
mod header;
mod instances;
mod last_attempt;
mod live;
mod live_document;
mod loader;
mod pasted;
mod pipeline;
mod receiver;
mod receiver_change;
mod receiver_health;
mod receiver_input;
mod replay;
mod resource;
mod resource_enum;
mod sample;
mod scalar;
mod scalars;
mod schema;
mod sort;
mod stats;
mod stats_history;
mod subscription;
mod test_webhook;
mod uri_check;
mod validate;
mod variables;

use std::sync::Arc;

use futures::{
    FutureExt as _, SinkExt as _, StreamExt as _,
    channel::mpsc,
    future,
    stream::{self, LocalBoxStream},
};
use juniper::{
    ExecutionError, GraphQLError, IntoFieldError as _, OperationType, ValidatedOperation,
};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use crate::domain::{api_key::Identity, resource::Catalogue};

use self::{
    context::Context,
    document::Prepared,
    error::{InputPath, Location, RequestError, document_errors},
    live::{Moment, Watch},
    scalar::ApiScalar,
    schema::{LiveSchema, Schema},
};

pub use self::{
    context::{ReceiverDefaults, Services, UriCheck, Wake, WatchedTables},
    doctor::Examine,
    error::{ApiError, Code},
    pipeline::Instance,
    sample::{Sample, SampleFault, SampleMade},
    uri_check::LookAtUri,
};

/// The schema of a deployment with these resources, in GraphQL's schema definition language.
pub fn sdl(catalogue: &Catalogue) -> String {
    schema::build(catalogue).as_sdl()
}

/// One GraphQL request, whatever it came in.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The document.
    pub query: String,
    /// Which of its operations to run, where there are several.
    pub operation_name: Option<String>,
    /// The values of its variables.
    pub variables: Map<String, Value>,
}

/// What may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Queries alone (HTTP GET).
    Queries,
    /// Queries and mutations.
    All,
}

/// What became of a request; each holds the response as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// It ran: `data` is there, perhaps with errors.
    Executed(String),
    /// Nothing ran: the document or the variables are wrong. There is no `data`.
    Refused(String),
    /// Nothing ran: it is a mutation, and only queries may run.
    NotAllowed(String),
}

/// Errors of one response.
const MOST_ERRORS: usize = 100;

/// GraphQL subscriptions that run in this process at once; each looks at the database by itself.
const LIVE_AT_ONCE: usize = 200;

/// The management API of a deployment.
pub struct Api {
    schema: Schema,
    live_schema: LiveSchema,
    services: Services,
    live: Semaphore,
}

impl Api {
    /// Builds the schema for the resources of `services`.
    pub fn new(services: Services) -> Self {
        let catalogue = services.catalogue.now();
        Self {
            schema: schema::build(&catalogue),
            live_schema: schema::build_live(&catalogue),
            services,
            live: Semaphore::new(LIVE_AT_ONCE),
        }
    }

    /// Runs a request of an authenticated caller.
    pub async fn execute(&self, request: Request, caller: Identity, allowed: Allowed) -> Response {
        match self.run(request, caller, allowed).await {
            Ok(response) => response,
            Err(errors) => Response::Refused(refusal(&errors)),
        }
    }

    /// Runs an operation of an authenticated caller whose connection stays open, and yields its responses
    /// as they come. A query or mutation has one. Whatever is not [`Response::Executed`] is the last.
    pub fn responses(
        self: &Arc<Self>,
        request: Request,
        caller: Identity,
    ) -> LocalBoxStream<'static, Response> {
        let (mut tell, told) = mpsc::channel(0);
        let api = self.clone();
        let work = async move {
            if let Err(errors) = api.answer(request, caller, &mut tell).await {
                // Without a reader nobody wants to know.
                let _ended = tell.send(Response::Refused(refusal(&errors))).await;
            }
        };
        let work = work.into_stream().filter_map(|()| future::ready(None));
        stream::select(told, work).boxed_local()
    }

    async fn answer(
        &self,
        request: Request,
        caller: Identity,
        tell: &mut mpsc::Sender<Response>,
    ) -> Result<(), Vec<RequestError>> {
        let name = request.operation_name.clone();
        let query = pasted::as_graphql(&request.query);
        let schema = &self.schema.schema;
        let prepared = document::prepare(&query, name.as_deref(), &request.variables, schema)?;
        let Some(live) = live_document::as_query(&prepared.text, name.as_deref(), schema) else {
            let run = self.run_once(
                &prepared,
                name.as_deref(),
                request.variables,
                caller,
                Allowed::All,
            );
            let _ended = tell.send(run.await?).await;
            return Ok(());
        };
        let refused = |error: GraphQLError| document_errors(&error);
        ValidatedOperation::new(&prepared.text, name.as_deref(), &self.schema).map_err(refused)?;
        if !live.has_one_field {
            let message =
                "a GraphQL subscription has exactly one field at its root; open one for each";
            return Err(vec![ApiError::new(Code::Validation, message).into()]);
        }
        let Ok(_place) = self.live.try_acquire() else {
            let message = format!(
                "{LIVE_AT_ONCE} GraphQL subscriptions run in this process, and no more may; try again \
                 later"
            );
            return Err(vec![ApiError::new(Code::Limit, message).into()]);
        };
        let operation = ValidatedOperation::new(&live.text, name.as_deref(), &self.live_schema)
            .map_err(refused)?;
        let variables = variables::read(request.variables, &prepared.variables, schema);
        let run = async |moment| {
            let context = Context::new(&self.services, caller.clone(), moment);
            let executed = operation.execute(&variables, &context).await;
            let (data, errors) = executed.map_err(refused)?;
            Ok::<_, Vec<RequestError>>((executed_body(data, &errors), context.moment))
        };
        let (body, moment) = run(Moment::Subscribing(Default::default())).await?;
        let Some(source) = moment.into_source() else {
            // Its arguments do not fit: the errors say how.
            let _ended = tell.send(Response::Executed(body)).await;
            return Ok(());
        };
        let unreadable = |error| vec![RequestError::from(ApiError::from(error))];
        let watching = Watch::from_now(source, &self.services).await;
        let mut watch = watching.map_err(unreadable)?;
        loop {
            for push in watch.next(&self.services).await.map_err(unreadable)? {
                let (body, _) = run(Moment::Pushed(push)).await?;
                if tell.send(Response::Executed(body)).await.is_err() {
                    return Ok(());
                }
            }
        }
    }

    async fn run(
        &self,
        request: Request,
        caller: Identity,
        allowed: Allowed,
    ) -> Result<Response, Vec<RequestError>> {
        let name = request.operation_name.as_deref();
        let schema = &self.schema.schema;
        let query = pasted::as_graphql(&request.query);
        let prepared = document::prepare(&query, name, &request.variables, schema)?;
        self.run_once(&prepared, name, request.variables, caller, allowed)
            .await
    }

    /// Runs a query or a mutation.
    async fn run_once(
        &self,
        prepared: &Prepared<'_>,
        name: Option<&str>,
        variables: Map<String, Value>,
        caller: Identity,
        allowed: Allowed,
    ) -> Result<Response, Vec<RequestError>> {
        let refused = |error: GraphQLError| document_errors(&error);
        let operation =
            ValidatedOperation::new(&prepared.text, name, &self.schema).map_err(refused)?;
        if operation.operation_type() == OperationType::Mutation && allowed == Allowed::Queries {
            let message = "a mutation needs HTTP POST; GET runs queries alone";
            let error = ApiError::new(Code::Validation, message);
            return Ok(Response::NotAllowed(refusal(&[error.into()])));
        }
        let variables = variables::read(variables, &prepared.variables, &self.schema.schema);
        let context = Context::new(&self.services, caller, Moment::Ordinary);
        let (data, errors) = operation
            .execute(&variables, &context)
            .await
            .map_err(refused)?;
        Ok(Response::Executed(executed_body(data, &errors)))
    }
}

fn executed_body(data: juniper::Value<ApiScalar>, errors: &[ExecutionError<ApiScalar>]) -> String {
    // Of a list each element may have failed: the first ones say it.
    let errors = errors.iter().take(MOST_ERRORS).map(FieldFailure::of);
    json(&ExecutedBody {
        errors: errors.collect(),
        data,
    })
}

/// The response to a request of which nothing ran, also one that never reached GraphQL.
pub fn refusal(errors: &[RequestError]) -> String {
    let errors = errors.iter().map(|one| Refusal {
        message: &one.error.message,
        locations: &one.locations,
        extensions: Extensions {
            code: one.error.code,
            path: one.error.path.as_ref(),
        },
    });
    json(&RefusedBody {
        errors: errors.collect(),
    })
}

#[derive(Serialize)]
struct RefusedBody<'a> {
    errors: Vec<Refusal<'a>>,
}

#[derive(Serialize)]
struct Refusal<'a> {
    message: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    locations: &'a [Location],
    extensions: Extensions<'a>,
}

#[derive(Serialize)]
struct Extensions<'a> {
    code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a InputPath>,
}

#[derive(Serialize)]
struct ExecutedBody<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldFailure<'a>>,
    data: juniper::Value<ApiScalar>,
}

#[derive(Serialize)]
struct FieldFailure<'a> {
    message: &'a str,
    locations: [Location; 1],
    path: &'a [String],
    extensions: juniper::Value<ApiScalar>,
}

impl<'a> FieldFailure<'a> {
    fn of(failure: &'a ExecutionError<ApiScalar>) -> Self {
        let own = failure.error().extensions();
        Self {
            message: failure.error().message(),
            locations: [failure.location().into()],
            path: failure.path(),
            // Resolvers give every failure a code. What has none is juniper's own, which speaks up while
            // it runs only about an argument that does not fit.
            extensions: if own.is_null() {
                let unnamed = ApiError::new(Code::Validation, "").into_field_error();
                unnamed.extensions().clone()
            } else {
                own.clone()
            },
        }
    }
}

fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("a response holds only strings as keys")
}

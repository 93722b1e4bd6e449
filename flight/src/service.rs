//! The commands of the protocol.

use std::io;
use std::pin::Pin;

use arrow::datatypes::Schema;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::flight_service_server::{FlightService, FlightServiceServer};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo,
    HandshakeRequest, HandshakeResponse, IpcMessage, PollInfo, PutResult, SchemaAsIpc, SchemaResult,
    Ticket as TicketBytes,
};
use control::TableRead;
use futures::{Stream, StreamExt, stream};
use kernel::{Read, StudyId, StudyScope};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use crate::connection::Connection;
use crate::guard::{Admitted, Guard};
use crate::published::{Published, Visible};
use crate::pull::Pull;
use crate::put::{self, Incoming, Intake, NotTaken, Put, PutOrder};
use crate::status;
use crate::ticket::Ticket;

const BATCH_ROWS: usize = 65_536;
/// What a client may send in one message: a descriptor, a ticket, a batch of rows.
const REQUEST_BYTES: usize = 64 << 20;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The Flight service over what is published.
#[derive(Clone)]
pub struct Flight {
    published: Published,
    intake: Intake,
    guard: Guard,
}

/// Serves the connections that come until `stop` completes.
///
/// # Errors
/// When the transport fails.
pub async fn serve<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    (published, intake): (Published, Intake),
    connections: impl Stream<Item = io::Result<Connection<S>>>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), tonic::transport::Error> {
    let service =
        FlightServiceServer::new(Flight::new(published, intake)).max_decoding_message_size(REQUEST_BYTES);
    Server::builder()
        .http2_adaptive_window(Some(true))
        .add_service(service)
        .serve_with_incoming_shutdown(connections, stop)
        .await
}

/// A table that a caller may read.
struct Found {
    scope: StudyScope<Read>,
    visible: Visible,
    table: String,
}

impl Flight {
    /// Over what is published, and over who takes deliveries in.
    #[must_use]
    pub fn new(published: Published, intake: Intake) -> Self {
        let guard = Guard::new(published.control().clone());
        Self { published, intake, guard }
    }

    /// The table that a descriptor names by its path: study, table.
    async fn find(
        &self,
        caller: &Admitted,
        descriptor: &FlightDescriptor,
        command: &str,
    ) -> Result<Found, Status> {
        let [study, table] = descriptor.path.as_slice() else {
            return Err(self
                .guard
                .malformed(caller, command, "name a table by a path of two parts: the study and the table")
                .await);
        };
        let Ok(study) = study.parse::<StudyId>() else {
            return Err(self.guard.refuse(caller, command, "no_such_study").await);
        };
        let scope = self.guard.scope(caller, &study, command).await?;
        let visible = self.published.current(&scope).await.map_err(|error| status::of_published(&error))?;
        match visible {
            Some(visible) if visible.manifest.tables.contains_key(table) => {
                Ok(Found { scope, visible, table: table.clone() })
            }
            _ => Err(self.guard.refuse(caller, command, "no_such_table").await),
        }
    }

    fn schema(&self, found: &Found) -> Result<Schema, Status> {
        let scan = self.published.scan(&found.scope, &found.visible, &found.table, BATCH_ROWS);
        scan.map(|scan| scan.schema().as_ref().clone()).map_err(|error| status::of_published(&error))
    }

    fn info(&self, found: &Found) -> Result<FlightInfo, Status> {
        let table = &found.visible.manifest.tables[&found.table];
        let study = found.scope.study();
        let ticket =
            Ticket { v: 1, study: study.clone(), snapshot: found.visible.row.id, table: found.table.clone() };
        let info = FlightInfo::new()
            .try_with_schema(&self.schema(found)?)
            .map_err(|error| status::internal(&error))?
            .with_descriptor(FlightDescriptor::new_path(vec![study.to_string(), found.table.clone()]))
            .with_endpoint(FlightEndpoint::new().with_ticket(TicketBytes::new(ticket.to_bytes())))
            .with_total_records(i64::try_from(table.rows()).unwrap_or(-1))
            .with_total_bytes(-1)
            .with_ordered(true)
            .with_app_metadata(found.visible.row.id.to_string());
        Ok(info)
    }

    async fn infos(&self, caller: &Admitted) -> Result<Vec<FlightInfo>, Status> {
        let studies = self.published.control().studies(caller.principal.grants()).await;
        let mut infos = Vec::new();
        for study in studies.map_err(|error| status::internal(&error))? {
            let Ok(scope) = caller.principal.grants().scope::<Read>(&study.id) else { continue };
            let visible =
                self.published.current(&scope).await.map_err(|error| status::of_published(&error))?;
            let Some(visible) = visible else { continue };
            for table in visible.manifest.tables.keys() {
                let found = Found { scope: scope.clone(), visible: visible.clone(), table: table.clone() };
                infos.push(self.info(&found)?);
            }
        }
        Ok(infos)
    }

    async fn pull(&self, caller: Admitted, ticket: Ticket) -> Result<Pull, Status> {
        const COMMAND: &str = "DoGet";
        let scope = self.guard.scope(&caller, &ticket.study, COMMAND).await?;
        let visible = self.published.snapshot(&scope, ticket.snapshot).await;
        let visible = visible.map_err(|error| status::of_published(&error))?;
        let visible = match visible {
            Some(visible) if visible.manifest.tables.contains_key(&ticket.table) => visible,
            _ => return Err(self.guard.refuse(&caller, COMMAND, "no_such_table").await),
        };
        let scan = self.published.scan(&scope, &visible, &ticket.table, BATCH_ROWS);
        let scan = scan.map_err(|error| status::of_published(&error))?;
        let Admitted { principal, trace } = caller;
        let read = TableRead {
            door: "flight".into(),
            study: ticket.study,
            snapshot: ticket.snapshot,
            table: ticket.table,
            trace,
        };
        let control = self.published.control().clone();
        let pull =
            control.read_started(&principal, read.clone()).await.map_err(|error| status::internal(&error))?;
        Ok(Pull::new(scan, control, principal, (pull, read)))
    }
}

#[tonic::async_trait]
impl FlightService for Flight {
    type HandshakeStream = Answers<HandshakeResponse>;
    type ListFlightsStream = Answers<FlightInfo>;
    type DoGetStream = Answers<FlightData>;
    type DoPutStream = Answers<PutResult>;
    type DoActionStream = Answers<arrow_flight::Result>;
    type ListActionsStream = Answers<ActionType>;
    type DoExchangeStream = Answers<FlightData>;

    /// Some clients shake hands even with a bearer token: it is checked, and they are let through with it.
    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        self.guard.admit(&request, "Handshake").await?;
        let mut response = Response::new(stream::empty().boxed() as Self::HandshakeStream);
        if let Some(token) = request.metadata().get("authorization") {
            response.metadata_mut().insert("authorization", token.clone());
        }
        Ok(response)
    }

    async fn list_flights(
        &self,
        request: Request<Criteria>,
    ) -> Result<Response<Self::ListFlightsStream>, Status> {
        let caller = self.guard.admit(&request, "ListFlights").await?;
        let infos = self.infos(&caller).await?;
        Ok(Response::new(stream::iter(infos.into_iter().map(Ok)).boxed()))
    }

    async fn get_flight_info(
        &self,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let caller = self.guard.admit(&request, "GetFlightInfo").await?;
        let found = self.find(&caller, request.get_ref(), "GetFlightInfo").await?;
        self.info(&found).map(Response::new)
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        let caller = self.guard.admit(&request, "GetSchema").await?;
        let found = self.find(&caller, request.get_ref(), "GetSchema").await?;
        let schema = self.schema(&found)?;
        let IpcMessage(schema) = SchemaAsIpc::new(&schema, &IpcWriteOptions::default())
            .try_into()
            .map_err(|error: arrow::error::ArrowError| status::internal(&error))?;
        Ok(Response::new(SchemaResult { schema }))
    }

    async fn do_get(&self, request: Request<TicketBytes>) -> Result<Response<Self::DoGetStream>, Status> {
        let caller = self.guard.admit(&request, "DoGet").await?;
        let Some(ticket) = Ticket::from_bytes(&request.get_ref().ticket) else {
            return Err(self
                .guard
                .malformed(&caller, "DoGet", "this is no ticket of this server; ask GetFlightInfo for one")
                .await);
        };
        let pull = self.pull(caller, ticket).await?;
        Ok(Response::new(pull.boxed()))
    }

    async fn poll_flight_info(&self, _: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        Err(not_offered())
    }

    async fn do_put(
        &self,
        request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoPutStream>, Status> {
        const COMMAND: &str = "DoPut";
        let caller = self.guard.admit(&request, COMMAND).await?;
        let mut messages = request.into_inner();
        let first = messages.message().await?;
        let order = first.as_ref().and_then(|first| first.flight_descriptor.as_ref()).and_then(PutOrder::of);
        let (Some(first), Some(order)) = (first, order) else {
            return Err(self.guard.malformed(&caller, COMMAND, put::FORM).await);
        };
        let scope = self.guard.build_scope(&caller, &order.study, COMMAND).await?;
        let file = Incoming::new(self.published.storage(), &scope, &order.dataset)?;
        put::receive(first, messages, file.path()).await?;
        let put = Put { caller, scope, order, file };
        let receipt = (self.intake)(put).await.map_err(NotTaken::into_status)?;
        let result = PutResult { app_metadata: receipt.to_string().into() };
        Ok(Response::new(stream::once(async { Ok(result) }).boxed()))
    }

    async fn do_action(&self, _: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        Err(not_offered())
    }

    async fn list_actions(&self, _: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        Err(not_offered())
    }

    async fn do_exchange(
        &self,
        _: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        Err(not_offered())
    }
}

fn not_offered() -> Status {
    Status::unimplemented("this server offers ListFlights, GetFlightInfo, GetSchema, DoGet and DoPut")
}

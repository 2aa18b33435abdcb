//! Every GraphQL document of the pages that rowhook comes from runs as it is printed: against the built
//! binary, over plain HTTP and over WebSocket (with the public npm client), on both databases.
//!
//! `documents/` holds them letter for letter, with the comment line that stands above where one does;
//! those called `cut_…` were printed without their last braces, which `closed` adds. Of one listing the
//! page prints no more than single lines (`createdBy {` with nothing inside), which no brace makes a
//! document; it is `manual_receivers` and `manual_subscriptions` of the other page.
//!
//! Variables are the printed ones where that can be; where an answer depends on a real delivery, an id
//! or an etag, those are put in.

mod disabling;
mod guide;
mod manual;

use serde_json::{Value, json};

use crate::support::{
    database::TestDatabase, graphql_ws::NpmClient, house::House, service::ADMIN_KEY,
};

macro_rules! printed {
    ($name:literal) => {
        include_str!(concat!("documents/", $name))
    };
}

use printed;

fn variables(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// A document that was printed without its last braces.
fn closed(cut: &str) -> String {
    let open = cut.matches('{').count() - cut.matches('}').count();
    assert!(open > 0, "it is whole");
    format!("{cut}{}", "}".repeat(open))
}

/// The service with the sample factory, whose tables hold one run with one step.
async fn factory(database: TestDatabase) -> House {
    let house = House::with(database, "sample = true", "", &[]).await;
    house
        .sql(
            "insert into procedures (title) values ('Assemble');
             insert into runs (title, procedure_id, _etag) values ('Engine 7', 1, 'r1');
             insert into run_steps (run_id, position, title, _etag) values (1, 1, 'Leak check', 's1')",
        )
        .await;
    house
}

/// How a document gets to the service.
enum Way {
    Http,
    WebSocket(Box<NpmClient>),
}

impl Way {
    fn both(house: &House) -> [Self; 2] {
        let client = NpmClient::with_key(house.service.address(), ADMIN_KEY);
        [Self::Http, Self::WebSocket(Box::new(client))]
    }

    /// Of the two, as part of a path and in messages.
    fn name(&self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::WebSocket(_) => "websocket",
        }
    }

    /// The whole GraphQL response.
    async fn response(&mut self, house: &House, document: &str, variables: &Value) -> Value {
        match self {
            Self::Http => house.service.try_graphql_with(document, variables).await,
            Self::WebSocket(client) => client.response(document, variables).await,
        }
    }

    /// The data of a document in which nothing may go wrong.
    async fn data(&mut self, house: &House, document: &str, variables: &Value) -> Value {
        let mut response = self.response(house, document, variables).await;
        assert!(
            response["errors"].is_null(),
            "{} {document}: {response}",
            self.name()
        );
        response["data"].take()
    }
}

/// The nodes of a connection in an answer.
fn nodes(connection: &Value) -> Vec<&Value> {
    let edges = connection["edges"].as_array().unwrap();
    edges.iter().map(|edge| &edge["node"]).collect()
}

/// The node of that id.
fn node<'a>(connection: &'a Value, id: &Value) -> &'a Value {
    let all = nodes(connection);
    let found = all.into_iter().find(|node| node["id"] == *id);
    found.unwrap_or_else(|| panic!("{id} is not in {connection}"))
}

/// `update…` input that makes a record inactive.
fn disable(id: &Value, etag: &Value) -> Value {
    json!({"input": {"id": id, "etag": etag, "active": false}})
}

//! `cargo xtask services up`: starts what does not run and waits until every store answers.

use std::path::Path;

use super::addresses::{Addresses, Kafka, Postgres, Redis, Tls};
use super::place::{Place, Speak};
use super::service::{SERVICES, Service};
use super::tls::Certificates;
use super::{kafka, postgres, redis};
use crate::needs;
use crate::steps::now;
use crate::workspace::Outcome;

/// Stores that others run, by address: they are looked at and not started.
#[derive(clap::Args, Default)]
pub struct Elsewhere {
    /// Nodes of a Redis Cluster that runs already: HOST:PORT, separated by commas
    #[arg(long, value_name = "ADDR,…", value_delimiter = ',')]
    redis: Vec<String>,
    /// Brokers of a Kafka that runs already: HOST:PORT, separated by commas
    #[arg(long, value_name = "ADDR,…", value_delimiter = ',')]
    kafka: Vec<String>,
    /// A PostgreSQL that runs already: postgres://USER:PASSWORD@HOST:PORT/DATABASE
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// Those that are started answer over TLS, as managed stores do, and ask who comes; a folder keeps to what it began with
    #[arg(long)]
    tls: bool,
}

impl Elsewhere {
    /// Nothing runs elsewhere; what is started speaks so.
    pub fn nothing(speak: Speak) -> Self {
        Self { tls: speak == Speak::Tls, ..Self::default() }
    }
}

/// Starts, waits, and writes where they answer.
pub fn run(root: &Path, folder: &Path, elsewhere: &Elsewhere) -> Outcome {
    let place = Place::make(root, folder, if elsewhere.tls { Speak::Tls } else { Speak::Plainly })?;
    if place.kept.tls.is_some() {
        Certificates::of(&place).make()?;
        if !elsewhere.tls {
            println!("TLS       as before: these services were set up with it (`down --wipe` forgets that)");
        }
    }
    let mut addresses = Addresses::of(&place);
    elsewhere.check_into(&mut addresses)?;
    let (there, missing): (Vec<&Service>, Vec<&Service>) = SERVICES
        .iter()
        .filter(|service| !elsewhere.names(service.name))
        .partition(|service| service.is_up(&place));
    for service in there {
        println!("{:<9} already up", service.name);
    }
    // All are started before one is waited for: each has its own pause in which the others can go on.
    let began = now();
    for service in &missing {
        println!("{:<9} starting", service.name);
        service.start(&place)?;
    }
    for service in &missing {
        (service.settle)(&place)?;
        println!("{:<9} up after {:.1} s", service.name, began.elapsed().as_secs_f64());
    }
    println!("addresses in {}", addresses.write(folder)?.display());
    Ok(())
}

impl Elsewhere {
    fn names(&self, service: &str) -> bool {
        match service {
            "redis" => !self.redis.is_empty(),
            "kafka" => !self.kafka.is_empty(),
            _ => self.postgres.is_some(),
        }
    }

    /// Looks whether those that are named answer, and puts their addresses in the place of ours.
    fn check_into(&self, addresses: &mut Addresses) -> Outcome {
        let named = SERVICES.iter().filter(|service| self.names(service.name));
        named.clone().try_for_each(|service| needs::provide(service.check_needs))?;
        self.redis.iter().try_for_each(|address| redis::check(address))?;
        self.kafka.iter().try_for_each(|address| kafka::check(address))?;
        self.postgres.iter().try_for_each(|url| postgres::check(url))?;
        for service in named {
            println!("{:<9} answers elsewhere: not started", service.name);
        }
        if self.names("redis") {
            addresses.redis = Redis { nodes: self.redis.clone(), tls: Tls::disabled() };
        }
        if self.names("kafka") {
            addresses.kafka = Kafka { brokers: self.kafka.clone(), tls: Tls::disabled(), sasl: None };
        }
        if let Some(url) = &self.postgres {
            addresses.postgres = Postgres { url: url.clone(), tls: Tls::disabled() };
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "up_tests.rs"]
mod tests;

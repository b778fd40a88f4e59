//! Apache Kafka, one node that is broker and controller (KRaft), from the jars that Maven brings.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::place::{Place, kafka_jars, make_folder, write_private};
use super::process::Process;
use super::service::{self, Service};
use super::tls::Certificates;
use crate::needs::{Need, Proof};
use crate::steps::{answer, call};
use crate::workspace::Outcome;

/// What runs it.
pub const JAVA: Need = Need {
    name: "Java 17 or later",
    proof: Proof::Succeeds(&["sh", "-c", "java -version 2>&1 | grep -Eq 'version \"(1[7-9]|[2-9][0-9])'"]),
    packages: &["default-jre-headless"],
    otherwise: "install a Java runtime of version 17 or later, so that `java` on the path is one",
};

const MAVEN: Need = Need {
    name: "Maven",
    proof: Proof::OneOf(&["mvn"]),
    packages: &["maven"],
    otherwise: "install Apache Maven, so that `mvn` is on the path",
};

/// What the cluster is called in its metadata: 16 bytes as Kafka writes them. One node needs no other.
const CLUSTER_ID: &str = "dHplcm8tc2VydmljZXMtMQ";

/// Who may come over TLS, and how they show it besides by their password itself.
const USER: &str = "tzero";
const SCRAM: [&str; 2] = ["SCRAM-SHA-512", "SCRAM-SHA-256"];

/// The node as a service.
pub const SERVICE: Service = Service {
    name: "kafka",
    needs: &[JAVA],
    check_needs: &[],
    processes: |place| vec![process(place)],
    prepare,
    settle: |place| process(place).ready(Duration::from_secs(90), || answers(place)),
    answers,
};

fn folder(place: &Place) -> PathBuf {
    place.folder.join("kafka")
}

fn settings(place: &Place) -> PathBuf {
    folder(place).join("server.properties")
}

fn process(place: &Place) -> Process {
    let mark = settings(place).to_string_lossy().into_owned();
    let logging = place.root.join("xtask/services/kafka/log4j2.properties");
    let mut words = vec!["java".to_owned(), "-Xms64m".to_owned(), "-Xmx512m".to_owned()];
    words.push(format!("-Dlog4j2.configurationFile={}", logging.display()));
    words.extend(["-cp".to_owned(), class_path(place), "kafka.Kafka".to_owned(), mark.clone()]);
    Process {
        name: "kafka".to_owned(),
        port: place.kept.kafka,
        folder: folder(place),
        data: folder(place).join("data"),
        words,
        mark,
        stop: "TERM",
    }
}

fn class_path(place: &Place) -> String {
    format!("{}/*", place.kafka_jars().display())
}

/// Brings the jars, writes the settings, and formats the folder where it is new.
fn prepare(place: &Place) -> Outcome {
    bring_jars(&place.root)?;
    let data = folder(place).join("data");
    make_folder(&data)?;
    let (clients, controller) = (place.kept.kafka, place.kept.kafka_controller);
    let (listener, security) = over_tls(place)?;
    let own = format!(
        "\n# This node's own.\nlisteners=PLAINTEXT://127.0.0.1:{clients},{listener}CONTROLLER://127.0.0.1:{controller}\n\
         controller.quorum.bootstrap.servers=127.0.0.1:{controller}\nlog.dirs={}\n{security}",
        data.display()
    );
    let file = settings(place);
    std::fs::write(&file, place.settings("kafka.properties")? + &own)
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    if data.join("meta.properties").is_file() { Ok(()) } else { format_data(place) }
}

/// A listener besides that speaks TLS, asks for a certificate, and then for a user; with the settings for it.
fn over_tls(place: &Place) -> Result<(String, String), String> {
    let Some(tls) = &place.kept.tls else { return Ok(Default::default()) };
    let certificates = Certificates::of(place);
    // Java wants the key and its certificate in one file.
    let keys = folder(place).join("keys.pem");
    write_private(&keys, &(certificates.text("server.key")? + &certificates.text("server.pem")?))?;
    let (listener, password) = ("listener.name.sasl_ssl", &place.kept.password);
    let module = "sasl.jaas.config=org.apache.kafka.common.security";
    let settings = format!(
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT\n\
         ssl.keystore.type=PEM\nssl.keystore.location={}\nssl.truststore.type=PEM\nssl.truststore.location={}\n\
         {listener}.ssl.client.auth=required\nsasl.enabled.mechanisms={},PLAIN\n\
         {listener}.scram-sha-512.{module}.scram.ScramLoginModule required;\n\
         {listener}.scram-sha-256.{module}.scram.ScramLoginModule required;\n\
         {listener}.plain.{module}.plain.PlainLoginModule required user_{USER}=\"{password}\";\n",
        keys.display(),
        certificates.file("ca.pem").display(),
        SCRAM.join(",")
    );
    Ok((format!("SASL_SSL://127.0.0.1:{},", tls.kafka), settings))
}

fn format_data(place: &Place) -> Outcome {
    let mut command = Command::new("java");
    // A short run: the second compiler would only get in its way.
    command.args(["-XX:TieredStopAtLevel=1", "-Dlog4j2.level=ERROR", "-cp", &class_path(place)]);
    command.args([
        "kafka.tools.StorageTool",
        "format",
        "--standalone",
        "--cluster-id",
        CLUSTER_ID,
        "--config",
    ]);
    command.arg(settings(place));
    for mechanism in SCRAM.iter().filter(|_| place.kept.tls.is_some()) {
        let user = format!("{mechanism}=[name={USER},password={}]", place.kept.password);
        command.args(["--add-scram", &user]);
    }
    answer(&mut command).map(drop)
}

/// Copies the jars of `xtask/services/kafka/pom.xml`, unless those of this very file are there.
pub fn bring_jars(root: &Path) -> Outcome {
    let pom = root.join("xtask/services/kafka/pom.xml");
    let wanted = read(&pom)?;
    let jars = kafka_jars(root);
    let stamp = jars.join("pom.xml");
    if read(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    crate::needs::provide(&[MAVEN])?;
    println!("kafka     fetching the jars with Maven into {}", jars.display());
    if jars.is_dir() {
        std::fs::remove_dir_all(&jars)
            .map_err(|error| format!("cannot empty {}: {error}", jars.display()))?;
    }
    let mut command = Command::new("mvn");
    command.args(["--quiet", "--batch-mode", "--file"]).arg(&pom).args([
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        &format!("-DoutputDirectory={}", jars.display()),
    ]);
    call(&mut command)?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn answers(place: &Place) -> Outcome {
    check(&format!("127.0.0.1:{}", place.kept.kafka))
}

/// Whether a broker answers a question for metadata with a controller and at least one broker.
pub fn check(address: &str) -> Outcome {
    let mut stream = service::connect(address)?;
    let talk = || {
        stream.write_all(&metadata_request())?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut body = Vec::new();
        stream.take(u32::from_be_bytes(length).into()).read_to_end(&mut body)?;
        Ok(body)
    };
    let body = talk().map_err(|error: std::io::Error| service::broken(address, &error))?;
    match controller(&body) {
        Some(0..) => Ok(()),
        Some(_) => Err(format!("{address} knows no controller yet")),
        None => Err(format!("{address} does not answer as a Kafka broker does")),
    }
}

/// `Metadata`, version 1, about no topic: length, key 3, version, correlation, the client's name, an empty list.
fn metadata_request() -> Vec<u8> {
    let name = b"xtask";
    let mut body = vec![0, 3, 0, 1, 0, 0, 0, 7, 0, 5];
    body.extend(name);
    body.extend([0, 0, 0, 0]);
    let length = u32::try_from(body.len()).unwrap_or_default();
    [length.to_be_bytes().to_vec(), body].concat()
}

/// The controller's number in the answer, after its brokers; `None` where it is not such an answer or names no broker.
fn controller(answer: &[u8]) -> Option<i32> {
    let mut rest = answer;
    (int(&mut rest)? == 7).then_some(())?;
    let brokers = int(&mut rest)?;
    (1..=1_000).contains(&brokers).then_some(())?;
    for _ in 0..brokers {
        int(&mut rest)?;
        skip_text(&mut rest)?;
        int(&mut rest)?;
        skip_text(&mut rest)?;
    }
    int(&mut rest)
}

fn int(bytes: &mut &[u8]) -> Option<i32> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(i32::from_be_bytes(*number))
}

/// A length of 16 bits and so many bytes; a length of -1 stands for none.
fn skip_text(bytes: &mut &[u8]) -> Option<()> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(i16::from_be_bytes(*length)).unwrap_or_default();
    *bytes = rest.get(length..)?;
    Some(())
}

#[cfg(test)]
#[path = "kafka_tests.rs"]
mod tests;

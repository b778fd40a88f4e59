//! What carries questions to a node: those of one kind that are there at the same moment leave together.
//!
//! Unlike a batch of holds, a bundle does not wait for the one before it: a slow answer holds up nobody.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::bundle::{Records, bundle};
use crate::connection::{Live, said};
use crate::node::Node;
use crate::requests::Requests;
use crate::route::Route;

/// The answer to one question, or what went wrong in words after the node's name.
pub(crate) type Carried = Result<Bytes, String>;

/// One question on its way.
pub(crate) struct Question {
    pub(crate) body: Bytes,
    pub(crate) answer: oneshot::Sender<Carried>,
}

/// Carries the questions of one kind to one node.
pub(crate) struct Carrier {
    pub(crate) node: Arc<Node>,
    pub(crate) route: Route,
    pub(crate) requests: Arc<Requests>,
    pub(crate) tasks: TaskTracker,
    /// Questions that leave together at most.
    pub(crate) most: usize,
    /// How long a bundle may be under way.
    pub(crate) limit: Duration,
}

impl Carrier {
    /// Carries what comes, until nobody can ask any more.
    pub(crate) async fn run(self, mut waiting: mpsc::Receiver<Question>) {
        let mut questions = Vec::new();
        while waiting.recv_many(&mut questions, self.most).await > 0 {
            // Whoever is about to ask comes along.
            tokio::task::yield_now().await;
            while questions.len() < self.most
                && let Ok(question) = waiting.try_recv()
            {
                questions.push(question);
            }
            questions.retain(|question| !question.answer.is_closed());
            if !questions.is_empty() {
                self.send(std::mem::take(&mut questions));
            }
        }
    }

    fn send(&self, questions: Vec<Question>) {
        let Some(live) = self.node.connection() else {
            Answering::to(questions).fail("there is no connection");
            return;
        };
        let body = bundle(questions.iter().map(|question| question.body.as_ref()));
        let request = self.requests.of(self.route, body);
        let (answering, limit) = (Answering::to(questions), self.limit);
        self.tasks.spawn(async move { answering.carry(&live, request, limit).await });
    }
}

/// Who waits for the answers of one bundle, by place.
struct Answering(Vec<Option<oneshot::Sender<Carried>>>);

impl Answering {
    fn to(questions: Vec<Question>) -> Self {
        Self(questions.into_iter().map(|question| Some(question.answer)).collect())
    }

    /// Sends the bundle and hands out its answers, while anybody waits for one.
    async fn carry(mut self, live: &Live, request: Request<Full<Bytes>>, limit: Duration) {
        let carried = tokio::time::timeout(limit, self.exchange(live, request)).await;
        if let Err(trouble) = carried.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
            self.fail(&trouble);
        }
    }

    async fn exchange(&mut self, live: &Live, request: Request<Full<Bytes>>) -> Result<(), String> {
        let Some(opened) = self.wanted(live.open(request)).await else { return Ok(()) };
        let mut body = opened?;
        let mut records = Records::default();
        loop {
            match self.wanted(body.frame()).await {
                Some(Some(Ok(frame))) => {
                    records.piece(frame.into_data().unwrap_or_default());
                    self.hand_out(&mut records)?;
                }
                Some(Some(Err(error))) => return Err(said(&error)),
                Some(None) => return Err("the answer is missing".to_owned()),
                None => return Ok(()),
            }
        }
    }

    /// Gives every answer that is whole to whoever waits for it.
    fn hand_out(&mut self, records: &mut Records) -> Result<(), String> {
        while let Some((place, answer)) = records.next().map_err(|unreadable| unreadable.to_string())? {
            if let Some(asker) = self.0.get_mut(place).and_then(Option::take) {
                // Whoever asked may have gone.
                drop(asker.send(Ok(answer)));
            }
        }
        Ok(())
    }

    /// What comes of `future`; `None` once nobody waits for an answer any more.
    async fn wanted<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            value = future => Some(value),
            () = poll_fn(|cx| self.poll_gone(cx)) => None,
        }
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for place in &mut self.0 {
            if let Some(asker) = place {
                ready!(asker.poll_closed(cx));
                *place = None;
            }
        }
        Poll::Ready(())
    }

    fn fail(self, trouble: &str) {
        self.0.into_iter().flatten().for_each(|asker| drop(asker.send(Err(trouble.to_owned()))));
    }
}

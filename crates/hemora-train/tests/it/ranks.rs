//! Training in several processes: gradients, a killed rank, and the run that goes on.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hemora_ct::{InputRecipe, Window};
use hemora_data::{InMemorySet, Loader, LoaderOptions, Share};
use hemora_train::optim::Preset;
use hemora_train::training::ranks::{Ranks, RanksError, this_process};
use hemora_train::training::{Trainer, TrainerOptions};
use hemora_train::{Layout, LossOptions, Model, Precision, Schedule, Task};
use tch::{Device, Kind, Tensor};

use crate::support::{assert_same, epochs, hemora_train, write_phantoms};

const SCENARIO: &str = "HEMORA_RANKS_TEST";
const SIDE: usize = 32;

/// Starts a command as each of `world` ranks, with the variables that torchrun would set.
fn start(world: usize, command: &dyn Fn() -> Command) -> Vec<Child> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    (0..world)
        .map(|rank| {
            command()
                .env("MASTER_ADDR", "127.0.0.1")
                .env("MASTER_PORT", port.to_string())
                .env("RANK", rank.to_string())
                .env("WORLD_SIZE", world.to_string())
                .env("OMP_NUM_THREADS", "1")
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect()
}

/// Whether each rank succeeded, and what it wrote to stdout and to stderr.
fn ends(ranks: Vec<Child>) -> Vec<(bool, String, String)> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let ended = |rank: Child| {
        let Output { status, stdout, stderr } = rank.wait_with_output().unwrap();
        (status.success(), text(stdout), text(stderr))
    };
    ranks.into_iter().map(ended).collect()
}

/// What a rank of [`two_ranks_have_the_gradients_of_one`] does.
#[test]
#[ignore = "a rank that another test starts"]
fn rank() {
    let Ok(network) = std::env::var(SCENARIO) else { return };
    tch::set_num_threads(1);
    let ranks = Rc::new(Ranks::join(this_process().unwrap(), Device::Cpu).unwrap());
    for batch in [32, 31] {
        // An odd batch has shares of different sizes: the mean is of the whole batch all the same.
        let mine = stepped(&network, ranks.clone(), batch, 1);
        if network == "simple-nn" {
            let alone = stepped(&network, Rc::default(), batch, 1);
            compare("gradient", &moved(&network, &alone), &moved(&network, &mine));
            // Two batches of which the gradients are averaged.
            let mine = stepped(&network, ranks.clone(), batch, 2);
            let alone = stepped(&network, Rc::default(), batch, 2);
            compare("accumulated gradient", &moved(&network, &alone), &moved(&network, &mine));
        }
        mine.take_statistics_of_first();
        assert_same_on_all(&ranks, &mine);
    }
    // More ranks than images: some have none, and give no gradient.
    if network == "simple-nn" {
        let mine = stepped(&network, ranks.clone(), 1, 1);
        let alone = stepped(&network, Rc::default(), 1, 1);
        compare("gradient", &moved(&network, &alone), &moved(&network, &mine));
    }
    assert!(ranks.world() > 1);
    ranks.end(Ok::<_, RanksError>(())).unwrap();
}

fn fresh(network: &str) -> Model {
    let graph = Task::Labels.graph(network, [3, SIDE], 0.0).unwrap().unwrap();
    Model::fresh(graph, Device::Cpu, 5)
}

/// A trainer after one step of plain gradient descent with rate 1 on the first `count` batches.
fn stepped(network: &str, ranks: Rc<Ranks>, batch: usize, count: usize) -> Trainer {
    let images = 70;
    let ids = (0..images).map(|index| format!("ID_{index}")).collect();
    let labels = (0..images).map(|index| std::array::from_fn(|label| index % (label + 2) == 0));
    let planes = (0..images * SIDE * SIDE).map(|at| (at * at % 251) as u8).collect();
    let set = InMemorySet::from_windowed(SIDE, ids, labels.collect(), planes).unwrap();
    let share = ranks.share();
    let options = LoaderOptions { batch, share, seed: 3, threads: 1, ..LoaderOptions::default() };
    assert!(ranks.world() > 1 || share == Share::default());
    let recipe = InputRecipe::grey(SIDE, Window::BRAIN);
    let loader =
        Loader::new(Arc::new(set), (0..images).collect(), None, recipe, None, &options).unwrap();
    let options = TrainerOptions {
        task: Task::Labels,
        loss: LossOptions { focal: Some(1.0), ..LossOptions::default() },
        optimizer: Preset::Sgd.options(),
        schedule: Schedule::Constant(1.0),
        ema: Some(0.9),
        clip: None,
        accumulate: count,
        precision: Precision::F32,
        layout: Layout::ChannelsLast,
        seed: 0,
    };
    // What the other ranks start with is taken from the first.
    let model = fresh(network);
    if ranks.rank() > 0 {
        tch::no_grad(|| model.all_tensors().iter_mut().for_each(|tensor| drop(tensor.fill_(0.1))));
    }
    let mut trainer = Trainer::among(ranks, model, options);
    let (step, loss) = trainer.step(loader.epoch(0), count).unwrap();
    assert_eq!(step.loss, Some(loss.double_value(&[])));
    assert_eq!(step.images, batch * count, "shares of the others count");
    trainer
}

/// By how much the weights have moved, which with a rate of 1 is the gradient.
fn moved(network: &str, trainer: &Trainer) -> Vec<(String, Tensor)> {
    let before = fresh(network);
    before
        .trainable()
        .zip(trainer.model.trainable())
        .map(|((parameter, before), (_, after))| {
            (parameter.name.clone(), (before - after).detach().to_kind(Kind::Double))
        })
        .collect()
}

fn compare(what: &str, expected: &[(String, Tensor)], found: &[(String, Tensor)]) {
    for ((name, expected), (_, found)) in expected.iter().zip(found) {
        let largest = expected.abs().max().double_value(&[]);
        let apart = (expected - found).abs().max().double_value(&[]);
        assert!(largest > 1e-6, "{what} of {name} is nothing: {largest}");
        assert!(apart < 1e-5, "{what} of {name}: {apart} apart, up to {largest}");
    }
}

/// All ranks have the same weights, statistics and averages, bit by bit.
fn assert_same_on_all(ranks: &Ranks, trainer: &Trainer) {
    let mut tensors = trainer.model.all_tensors();
    tensors.extend(trainer.average.as_ref().unwrap().tensors());
    for tensor in tensors {
        let flat = tensor.detach().reshape([-1]);
        let all = ranks.gather(&flat).reshape([ranks.world() as i64, -1]);
        for rank in 0..ranks.world() as i64 {
            assert_eq!(all.get(rank), flat);
        }
    }
}

#[test]
fn two_ranks_have_the_gradients_of_one() {
    // The second network has batch norms, whose statistics are each rank's own.
    for network in ["simple-nn", "efficientnet-lite0"] {
        let ranks = start(2, &|| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args([
                "--exact",
                "ranks::rank",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ]);
            command.env(SCENARIO, network);
            command
        });
        for (rank, (success, _, printed)) in ends(ranks).into_iter().enumerate() {
            assert!(success, "{network}, rank {rank}: {printed}");
        }
    }
}

const EPOCHS: usize = 4;

fn train(data: &Path, out: &Path) -> Vec<Child> {
    start(2, &|| {
        let mut command = hemora_train("run", data, out);
        command
            .args(["--seed=3", "--threads=1", "--validation=0.5", &format!("--epochs={EPOCHS}")])
            .args(["--ema=0.9", "--accumulate=2"]);
        command
    })
}

#[test]
fn a_killed_rank_ends_the_job_which_then_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    write_phantoms(&data);

    let whole = folder.path().join("whole");
    let ended = ends(train(&data, &whole));
    assert!(ended.iter().all(|(success, ..)| *success), "{ended:?}");
    assert!(ended[0].2.contains("2 processes, joined by gloo"), "{}", ended[0].2);
    assert_eq!((ended[1].1.as_str(), ended[1].2.as_str()), ("", ""), "rank 1 is not silent");
    assert_eq!(epochs(&whole), EPOCHS);

    let killed = folder.path().join("killed");
    let mut ranks = train(&data, &killed);
    let begin = Instant::now();
    while epochs(&killed) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(300), "no epoch ended");
        assert!(ranks[1].try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    ranks[1].kill().unwrap();
    let name = format!(", pid {}): lost", ranks[1].id());
    let ended = ends(ranks);
    assert!(!ended[0].0, "rank 0 went on");
    let printed = &ended[0].2;
    assert!(printed.contains("error: rank 1 (host ") && printed.contains(&name), "{printed}");
    assert!(printed.contains("goes on from the last checkpoint"), "{printed}");
    assert!(!killed.join("model.safetensors").exists(), "it ended before it was killed");

    let ended = ends(train(&data, &killed));
    assert!(ended.iter().all(|(success, ..)| *success), "{ended:?}");
    assert!(ended[0].2.contains("going on after epoch"), "{}", ended[0].2);
    assert_same(&killed, &whole);
}

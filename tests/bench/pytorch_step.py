#!/usr/bin/env python3
"""The training step of bench_step against the same model in PyTorch, in turns on one GPU.

    pytorch_step.py BENCH_STEP FOLDER [--arms b1,b2] [--blocks 5] [--steps 200] [--set KEY=VALUE]... [--preset P]

Where there is no GPU both run on the CPU in fp32 with --threads, and b0 is the only arm.

First correctness: from the same parameters and batches the losses of the first steps must agree. Then blocks
of steps in turns (ours, theirs, ours, theirs, ...), batches on the device for PyTorch. b0 is eager, b1
torch.compile(max-autotune) with fused AdamW, bg torch.compile(reduce-overhead) with the same (graphs, but no
search among matrix kernels, so it is ready in a minute), b2 the model compiled with forward, backward and
update in one CUDA graph. Prints a table last and writes FOLDER/step.json.
"""
import argparse, glob, json, math, statistics, struct, subprocess, time
import torch, torch.nn.functional as F

torch.set_float32_matmul_precision("highest")
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def wait():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def read_safetensors(path):
    with open(path, "rb") as f:
        size = struct.unpack("<Q", f.read(8))[0]
        header = json.loads(f.read(size))
        body = f.read()
    types = {"F32": torch.float32, "F64": torch.float64}
    tensors = {}
    for name, row in header.items():
        if name == "__metadata__":
            continue
        first, last = row["data_offsets"]
        data = torch.frombuffer(bytearray(body[first:last]), dtype=types[row["dtype"]])
        tensors[name] = data.reshape(row["shape"])
    return header["__metadata__"], tensors


class Model(torch.nn.Module):
    """Pre-norm blocks, RMSNorm, erf GELU, tied head: mechanisms as in engine/model."""

    def __init__(self, config, state):
        super().__init__()
        self.c = config
        parameters = {n[len("model."):]: t for n, t in state.items() if n.startswith("model.")}
        self.names = list(parameters)
        self.p = torch.nn.ParameterDict({n.replace(".", "_"): torch.nn.Parameter(t.clone()) for n, t in parameters.items()})
        T, D = config["context"], config["width"] // config["heads"]
        angle = torch.outer(torch.arange(T, dtype=torch.float64), 10000.0 ** (-2.0 * torch.arange(D // 2, dtype=torch.float64) / D))
        self.register_buffer("cos", angle.cos().float())
        self.register_buffer("sin", angle.sin().float())

    def w(self, name):
        return self.p[name.replace(".", "_")]

    def norm(self, x, name):
        return F.rms_norm(x, (x.size(-1),), self.w(name + ".gain"), self.c["norm_eps"])

    def rotate(self, x):
        a, b = x.float().unflatten(-1, (-1, 2)).unbind(-1)
        return torch.stack((a * self.cos - b * self.sin, a * self.sin + b * self.cos), -1).flatten(-2).to(x.dtype)

    def spark(self, q, k, v, x, name, ids):
        s = self.c["spark"]
        r, tau, W = s["rank"], s["tau"], s["fallback_window"]
        with torch.autocast(DEVICE, enabled=False):
            product = torch.bfloat16 if DEVICE == "cuda" else torch.float32
            z = F.linear(x.to(product), self.w(name + ".wz").to(product)).float()
            u = self.w("spark.addresses")[ids]
            scores = (u * (s["kappa"] / math.sqrt(r))) @ z.transpose(1, 2)
            T = scores.size(-1)
            t = torch.arange(T, device=scores.device)
            past, distance = t[:, None] > t[None, :], t[:, None] - t[None, :]
            theta = self.w(name + ".theta")
            gate = (scores - theta) / tau
            direct = (scores > theta) & past
            seen = direct
            if s["inheritance"]:
                seen = direct | ((direct.to(torch.bfloat16) @ direct.to(torch.bfloat16)) > 0)
            empty = ~direct.any(-1, keepdim=True)
            own = distance == 0
            scope = seen | own | (empty & (distance >= 0) & (distance < W))
            logits = (q @ k.transpose(-1, -2)).float() / math.sqrt(q.size(-1))
            hidden = torch.finfo(torch.float32).min
            hard = torch.softmax(logits.masked_fill(~scope[:, None], hidden), -1)
            if s["estimator"] == "surrogate":
                free = past & (direct | ~scope)
                soft = torch.softmax((logits + torch.where(free, F.logsigmoid(gate), 0.0)[:, None]).masked_fill(distance < 0, hidden), -1)
                weights = soft + (hard - soft).detach()
                return weights.to(v.dtype) @ v
            sigma = torch.sigmoid(gate)
            exps = torch.exp(logits - logits.masked_fill(~scope[:, None], hidden).amax(-1, keepdim=True).detach())
            gated = torch.where(scope[:, None], exps * (1 + sigma - sigma.detach())[:, None], 0.0)
            return (gated / gated.sum(-1, keepdim=True)).to(v.dtype) @ v

    def forward(self, ids, targets):
        c = self.c
        x = F.embedding(ids, self.w("embedding"))
        for i in range(c["layers"]):
            b = f"blocks.{i}"
            h = self.norm(x, b + ".norm1")
            q, k, v = F.linear(h, self.w(b + ".mixer.wqkv")).unflatten(-1, (3, c["heads"], -1)).permute(2, 0, 3, 1, 4)
            q, k = self.rotate(q), self.rotate(k)
            if c["mixer"] == "spark":
                y = self.spark(q, k, v, h, b + ".mixer", ids)
            else:
                y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + F.linear(y.transpose(1, 2).flatten(2), self.w(b + ".mixer.wo"))
            h = self.norm(x, b + ".norm2")
            x = x + F.linear(F.gelu(F.linear(h, self.w(b + ".feed_forward.w1"))), self.w(b + ".feed_forward.w2"))
        logits = F.linear(self.norm(x, "norm"), self.w("embedding"))
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


class Theirs:
    def __init__(self, config, experiment, state, batches, arm):
        self.model, self.arm, self.o = Model(config, state).to(DEVICE), arm, experiment["optimizer"]
        self.total = experiment["train"]["steps"]
        decayed = [p for p in self.model.parameters() if p.dim() >= 2]
        plain = [p for p in self.model.parameters() if p.dim() < 2]
        self.lr = torch.zeros((), device=DEVICE)
        groups = [{"params": decayed, "weight_decay": self.o["weight_decay"]}, {"params": plain, "weight_decay": 0.0}]
        self.opt = torch.optim.AdamW(groups, lr=self.lr, betas=(self.o["beta1"], self.o["beta2"]), eps=self.o["eps"], fused=True, capturable=arm == "b2")
        mode = {"b0": None, "b1": "max-autotune", "bg": "reduce-overhead", "b2": "max-autotune-no-cudagraphs"}[arm]
        self.run = torch.compile(self.model, mode=mode) if mode else self.model
        self.batches, self.i, self.graph = batches, 0, None
        self.ids = torch.empty_like(batches[0])

    def rate(self, i):
        o = self.o
        floor = o["final_lr_fraction"]
        return o["learning_rate"] * min(1, (i + 1) / o["warmup_steps"]) * (floor + (1 - floor) / 2 * (1 + math.cos(math.pi * i / self.total)))

    def work(self, ids):
        with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
            loss = self.run(ids[:, :-1], ids[:, 1:])
        loss.backward()
        self.norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.o["clip"], foreach=True)
        self.opt.step()
        self.opt.zero_grad(set_to_none=True)
        return loss.detach()

    def step(self):
        self.lr.fill_(self.rate(self.i))
        batch = self.batches[self.i % len(self.batches)]
        self.i += 1
        if self.arm != "b2":
            if self.arm in ("b1", "bg"):
                torch.compiler.cudagraph_mark_step_begin()
            return self.work(batch)
        self.ids.copy_(batch)
        if self.graph is None:
            if self.i <= 3:
                side = torch.cuda.Stream()
                side.wait_stream(torch.cuda.current_stream())
                with torch.cuda.stream(side):
                    loss = self.work(self.ids)
                torch.cuda.current_stream().wait_stream(side)
                return loss
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.loss = self.work(self.ids)
        self.graph.replay()
        return self.loss

    def block(self, steps):
        wait()
        start = time.perf_counter()
        for _ in range(steps):
            self.step()
        wait()
        return 1000 * (time.perf_counter() - start)


class Ours:
    def __init__(self, arguments):
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.words = self.process.stdout.readline().strip()
        if not self.words.startswith("ready"):
            raise SystemExit("bench_step did not start: " + self.words)

    def ask(self, order, count, lines):
        self.process.stdin.write(f"{order} {count}\n")
        self.process.stdin.flush()
        return [self.process.stdout.readline().split() for _ in range(lines)]

    def block(self, steps):
        return float(self.ask("block", steps, 1)[0][0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench_step")
    parser.add_argument("folder")
    parser.add_argument("--arms", default="b1,b2")
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--preset", default="dense-rope")
    parser.add_argument("--corpus", default="")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--set", action="append", default=[])
    a = parser.parse_args()

    command = [a.bench_step, "--preset", a.preset, "--dump", a.folder] + (["--corpus", a.corpus] if a.corpus else [])
    for one in a.set:
        command += ["--set", one]
    if a.threads:
        torch.set_num_threads(a.threads)
        command += ["--threads", str(a.threads)]
    name = torch.cuda.get_device_name() if DEVICE == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    ours = Ours(command)
    metadata, state = read_safetensors(glob.glob(a.folder + "/state.step-*.safetensors")[0])
    experiment = json.loads(metadata["experiment"])
    config = dict(experiment["model"])
    config["spark"] = experiment.get("spark", config.get("spark"))
    B, T = experiment["train"]["batch"], config["context"]
    raw = torch.frombuffer(bytearray(open(a.folder + "/batches.i32", "rb").read()), dtype=torch.int32)
    batches = list(raw.reshape(-1, B, T + 1).long().to(DEVICE).unbind(0))
    print(ours.words, "| PyTorch", torch.__version__, "|", name, "|", a.preset, *a.set)

    checked = 20
    mine = [float(line[0]) for line in ours.ask("losses", checked, checked)]
    rows = []
    for arm in a.arms.split(","):
        start = time.perf_counter()
        theirs = Theirs(config, experiment, state, batches, arm)
        losses = [theirs.step().item() for _ in range(checked)]
        worst = max(abs(x - y) for x, y in zip(losses, mine))
        print(f"{arm}: ready after {time.perf_counter() - start:.0f} s; losses of {checked} steps agree within {worst:.4f} nats ({mine[0]:.4f} {losses[0]:.4f} ... {mine[-1]:.4f} {losses[-1]:.4f})")
        if not worst < 0.05:
            print(f"{arm}: the losses differ by more than 0.05 nats; times would compare different things")
        theirs.block(20), ours.block(20)
        times = {"ours": [], arm: []}
        for _ in range(a.blocks):
            times["ours"].append(ours.block(a.steps) / a.steps)
            times[arm].append(theirs.block(a.steps) / a.steps)
        row = {"arm": arm, "tokens": B * T, "worst_nats": worst, "ours_ms": times["ours"], "theirs_ms": times[arm]}
        rows.append(row)
        del theirs
        if DEVICE == "cuda":
            torch.cuda.empty_cache()
    print(f"{'':8}{'ms a step (range)':>28}{'M tokens/s':>12}{'ours / it':>11}")
    for row in rows:
        o, t = statistics.median(row["ours_ms"]), statistics.median(row["theirs_ms"])
        for name, median, all_ in (("ours", o, row["ours_ms"]), (row["arm"], t, row["theirs_ms"])):
            spread = f"({min(all_):.3f} - {max(all_):.3f})"
            print(f"{name:8}{median:11.3f} {spread:>17}{row['tokens'] / median / 1000:12.2f}{t / o if name == row['arm'] else float('nan'):11.2f}")
    with open(a.folder + "/step.json", "w") as f:
        json.dump({"device": name, "torch": torch.__version__, "preset": a.preset, "set": a.set, "rows": rows}, f, indent=1)
    ours.process.stdin.write("quit\n")
    ours.process.stdin.close()


if __name__ == "__main__":
    main()
